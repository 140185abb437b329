"""Where an error came from, for those who are told with file and line."""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType


def last_place(error: BaseException, belongs: Callable[[FrameType], bool]) -> tuple[str, int] | None:
    """File and line of the innermost frame in the traceback of `error` that `belongs`, None without one."""
    place, traceback = None, error.__traceback__
    while traceback is not None:
        if belongs(traceback.tb_frame):
            place = traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next
    return place


def line_in(error: BaseException, file: str) -> int | None:
    """The line of `file` that was running when `error` was raised."""
    place = last_place(error, lambda frame: frame.f_code.co_filename == file)
    return place[1] if place is not None else None
