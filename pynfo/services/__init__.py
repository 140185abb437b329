"""The core's adapters: each file implements one interface of `pynfo.interfaces` for the Factory."""
