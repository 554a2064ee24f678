"""Cleared reports become public: the calendar, the embargo, and the site that anybody can read."""

from counterfoil.publication.clock import Instant, now_of, release_time
from counterfoil.publication.planning import Intervention, Planned, Sector, plan, planned_of
from counterfoil.publication.pre_release import Seen, grant, grants_of
from counterfoil.publication.releasing import apart_pairs, due, note_apart, release
from counterfoil.publication.site import SITE, build

__all__ = [
    "SITE",
    "Instant",
    "Intervention",
    "Planned",
    "Sector",
    "Seen",
    "apart_pairs",
    "build",
    "due",
    "grant",
    "grants_of",
    "note_apart",
    "now_of",
    "plan",
    "planned_of",
    "release",
    "release_time",
]
