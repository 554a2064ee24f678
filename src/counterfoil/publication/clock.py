"""When a report becomes public: at 9:30 in London on its day, whatever zone the machine is in (DISCLOSURE A10)."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from counterfoil.lab.settings import LabSettings

LONDON = ZoneInfo("Europe/London")
RELEASE_TIME = dt.time(9, 30)  # DISCLOSURE A10
_NOON = dt.time(12, 0)

Instant = dt.datetime  # always with its zone


def release_time(date: str) -> Instant:
    """The instant at which what is planned for an ISO date becomes public: 09:30 UTC in winter, 08:30 in summer."""
    return dt.datetime.combine(dt.date.fromisoformat(date), RELEASE_TIME, LONDON)


def now_of(settings: LabSettings) -> Instant:
    """Now. A lab with a fixed day takes its noon; that may only hold a report back, unless the lab is synthetic."""
    real = dt.datetime.now(dt.UTC)
    if settings.today is None:
        return real
    fixed = dt.datetime.combine(settings.today, _NOON, LONDON)
    return fixed if settings.truth is not None else min(real, fixed)


def day_in_london(now: Instant) -> dt.date:
    """The day that it is where releases are timed."""
    return now.astimezone(LONDON).date()
