"""What there is to know of a function before it is called."""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine. It may be a partial, a method, or an object to call."""
    return iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__)


def name_of(function: Callable[..., Any]) -> str:
    """`module.name`, for the log."""
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", None)
    return f"{module}.{name}" if module and name else repr(function)
