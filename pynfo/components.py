"""Componentized: an object that is asked for its abilities by interface.

`IStorage(factory)` finds the adapter that somebody registered for `IStorage`, makes it on first use and keeps
it, so an adapter can hold state. `TypeError` where nobody offers the interface, or the default in
`IThing(factory, None)`. An object may also provide an interface itself (`@implementer`).

An adapter is made by calling what was registered with the object: `adapter = make(factory)`. It may have
`async def start(self)` and `async def stop(self)`: `start` is awaited by `Componentized.start_adapters` (or
soon after first use in a running factory), `stop` when the adapter is removed or the factory stops.

Registries are per object, not global: two factories in one process share nothing.
"""
