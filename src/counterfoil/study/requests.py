"""A1: every request whose list was taken is in the lab's log before anyone is compared, so that none disappears.

A request is a list with a plan. The log holds hashes only: of the organisation's name, of the list, of the plan. One
that was started and withdrawn has an entry `requested` and none `evaluated`; the same list with another plan is a new
request that says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from counterfoil.lab import log
from counterfoil.lab.make import OpenLab
from counterfoil.provenance import key_of
from counterfoil.study.plan import Plan

REQUESTED = "requested"
WITHIN_DAYS = 365  # requests of a year count together
NOT_STATED = "Not stated"


@dataclass(frozen=True, slots=True)
class Asked:
    """The organisation's requests of the year up to this one, and whether this list was sent with another plan."""

    requests: int
    changed: bool


def note_request(lab: OpenLab, plan: Plan, list_hash: str, run: str) -> Asked:
    """Write the request into the log, unless it is there already, and count those before it."""
    # As it was written: a key that a later version adds with its default changes nobody's definition.
    written = key_of(plan=plan.model_dump(mode="json", exclude_unset=True))
    facts = {
        "request": key_of(plan=written, list=list_hash)[:12],
        "run": run,
        "plan": written,
        "list": key_of(list=list_hash)[:12],
        "organisation": organisation(plan),
        "on": lab.settings.date().isoformat(),
    }
    before = [event["facts"] for event in log.read(lab.paths) if event["event"] == REQUESTED]
    if not any(earlier["request"] == facts["request"] for earlier in before):
        log.append(lab.paths, REQUESTED, facts)
        before.append(facts)
    return count_requests(before, facts)


def organisation(plan: Plan) -> str:
    """A hash of who asks, by the name in the plan without case and blanks; by the title where no name is stated."""
    name = plan.title if plan.provider == NOT_STATED else plan.provider
    return key_of(organisation="".join(name.casefold().split()))[:12]


def count_requests(noted: Iterable[Mapping[str, Any]], this: Mapping[str, Any]) -> Asked:
    """Of `noted`, oldest first: requests of the same organisation in the year up to `this` one, itself among them."""
    same: dict[str, Mapping[str, Any]] = {}
    changed = False
    for facts in noted:
        changed |= facts["list"] == this["list"] and facts["plan"] != this["plan"]
        if facts["organisation"] == this["organisation"]:
            same.setdefault(facts["request"], facts)
        if facts["request"] == this["request"]:
            break
    own = dt.date.fromisoformat(same[this["request"]]["on"])
    earlier = [f for f in same.values() if (own - dt.date.fromisoformat(f["on"])).days <= WITHIN_DAYS]
    return Asked(len(earlier), changed)
