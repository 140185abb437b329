"""Parsing what people type after a command, from the annotations of the handler."""
