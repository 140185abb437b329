"""Times as people say them: "3 hours ago", "2 days and 4 hours".

The words are those of the library `humanize`, imported on first use: a bot that never tells a time does not
load it. Times are in seconds.
"""

from __future__ import annotations

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

LONGEST = 200 * 365 * DAY  # beyond this a time is a mistake, and `timedelta` would overflow in the end


def ago(seconds: float) -> str:
    """How long ago something was: "3 hours ago"; "just now" below a second, or where the clock is behind."""
    if seconds < 1:
        return "just now"
    from humanize import naturaltime

    return naturaltime(min(seconds, LONGEST))


def duration(seconds: float) -> str:
    """A span of time in its two largest units at most: "45 seconds", "2 days and 4 hours", "1 month"."""
    from humanize import precisedelta

    seconds = min(max(seconds, 0), LONGEST)
    if seconds < HOUR:
        return precisedelta(int(seconds), minimum_unit="seconds", format="%d")
    if seconds < DAY:
        return precisedelta(round(seconds / MINUTE) * MINUTE, minimum_unit="minutes", format="%d")
    if seconds < 60 * DAY:
        return precisedelta(
            round(seconds / HOUR) * HOUR, minimum_unit="hours", suppress=["months"], format="%d"
        )
    return precisedelta(round(seconds / DAY) * DAY, minimum_unit="months", format="%d")
