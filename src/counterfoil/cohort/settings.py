"""Every setting of selection, and what each may be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

KIND_ORDER = ("release", "community", "other_conviction", "caution")  # of two events on one day the first is taken


class FollowFrom(Enum):
    """Where follow-up starts. INDEX is what the Justice Data Lab does."""

    INDEX = "index"
    START = "start"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """People whose covariate has one of these values are not eligible, on either side."""

    covariate: str
    values: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class CohortSettings:
    """Every setting of selection; the study's plan fills it."""

    index_kinds: tuple[str, ...] = ("release", "community")
    index_window_days: int = 183  # a start belongs to an event at most this long before it
    first_year: int | None = None  # of the index date; None: no limit for the treated, and theirs for the pool
    last_year: int | None = None
    follow_from: FollowFrom = FollowFrom.INDEX
    follow_up_months: int = 12
    waiting_months: int = 6
    seed: int = 1
    exclusions: tuple[Exclusion, ...] = ()
    set_apart: bool = False  # people of earlier years leave the pool, for a risk score to be fitted on
