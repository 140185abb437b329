"""What is wrong with feeds, as the operator hears of it: once per matter, and not once per feed where a whole
host is down."""

from __future__ import annotations

from typing import Any

from pynfo.interfaces import FetchFailed, IOperator

OF_THE_HOST = frozenset({"timeout", "refused", "dns", "tls", "busy"})  # reasons of `FetchFailed`


class Troubles:
    """Which feeds do not work now, by matter."""

    def __init__(self, factory: Any) -> None:
        self._factory = factory
        self._failing: dict[str, set[str]] = {}  # matter to names of feeds

    def failed(self, name: str, host: str, error: FetchFailed) -> None:
        """A feed at a host cannot be read. `error` is one clause."""
        if _is_of_the_host(error):
            matter, text = f"feeds/host/{host}", f"feeds: {error}; what is watched there is tried again"
        else:
            matter, text = f"feeds/{name}", f"feed {name}: {error}; it is tried again"
        self._over(name, but=matter)
        self._failing.setdefault(matter, set()).add(name)
        IOperator(self._factory).tell(matter, text)

    def over(self, name: str) -> None:
        """A feed works again, or is not wanted any more."""
        self._over(name, but="")

    def _over(self, name: str, *, but: str) -> None:
        for matter in [matter for matter, names in self._failing.items() if name in names and matter != but]:
            self._failing[matter].discard(name)
            if not self._failing[matter]:
                del self._failing[matter]
                IOperator(self._factory).settled(matter)


def _is_of_the_host(error: FetchFailed) -> bool:
    return error.reason in OF_THE_HOST or error.status == 429 or (error.status or 0) >= 500
