"""A1: every request whose list was taken is in the lab's log before anyone is compared, so that none disappears.

A request is a list with a plan. The log holds hashes only: of the organisation's name, of the list, of the plan. One
that was started and not finished has an entry `requested` and none `evaluated`; one that was withdrawn has `withdrawn`
beside them; the same list with another plan is a new request that says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from counterfoil.clearance import read_record
from counterfoil.clearance.moves import Move
from counterfoil.clearance.record import CLEARANCE, PUBLIC
from counterfoil.errors import Refused, UsageError
from counterfoil.lab import log
from counterfoil.lab.log import REQUESTED, WITHDRAWN
from counterfoil.lab.make import OpenLab
from counterfoil.provenance import key_of
from counterfoil.study.plan import Plan

WITHIN_DAYS = 365  # requests of a year count together
NOT_STATED = "Not stated"


class Reason(Enum):
    """Why a request is withdrawn. No free text: the log holds no name."""

    PROVIDER = "provider"  # the organisation asked for it
    LIST = "list"  # the list is of other people than was agreed
    AGREEMENT = "agreement"  # the agreement or the lawful basis ended
    RECORDS = "records"  # a fault in the records


@dataclass(frozen=True, slots=True)
class Asked:
    """The organisation's requests of the year up to this one, and whether this list was sent with another plan."""

    requests: int
    changed: bool


def note_request(lab: OpenLab, plan: Plan, list_hash: str, run: str) -> Asked:
    """Write the request into the log, unless it is there already, and count those before it."""
    facts = {
        "request": request_of(plan, list_hash),
        "run": run,
        "plan": _as_written(plan),
        "list": list_of(list_hash),
        "organisation": organisation(plan),
        "on": lab.settings.date().isoformat(),
    }
    before = [event["facts"] for event in log.read(lab.paths) if event["event"] == REQUESTED]
    if not any(earlier["request"] == facts["request"] for earlier in before):
        log.append(lab.paths, REQUESTED, facts)
        before.append(facts)
    return count_requests(before, facts)


def request_of(plan: Plan, list_hash: str) -> str:
    """The request that a plan and a list are."""
    return key_of(plan=_as_written(plan), list=list_hash)[:12]


def list_of(list_hash: str) -> str:
    """How the log names a list."""
    return key_of(list=list_hash)[:12]


def _as_written(plan: Plan) -> str:
    """A hash. A key that a later version adds with its default changes nobody's definition."""
    return key_of(plan=plan.model_dump(mode="json", exclude_unset=True))


def withdraw(lab: OpenLab, run: str, reason: Reason) -> bool:
    """Note in the log that the request behind a run is withdrawn; False where it is so already. Nothing is removed.

    No report of it can be cleared or published from then on. UsageError where no list was taken for such a run: then
    there is no request, and nothing to withdraw. Refused once a report of it is published: that is corrected instead.
    """
    events = list(log.read(lab.paths))
    found = [e["facts"].get("request") for e in events if e["facts"].get("run") == run]
    request = next((key for key in found if key), None)
    if request is None:
        raise UsageError(
            f"The lab's log has no request for the run {run}. `evaluate --json` names the run; it is also the name of "
            "the report's folder in analyst/runs. A list that was never taken is no request and leaves nothing behind."
        )
    if is_withdrawn(events, request):
        return False
    record = read_record(lab)
    runs = {event["facts"]["run"] for event in events if event["facts"].get("request") == request}
    if any(record.case(each).state in PUBLIC for each in runs):
        raise Refused(
            "A report of this request is published, so the request cannot be withdrawn. A mistake in a published "
            "report is put right by a correction: counterfoil publish.",
            rule="A1",
        )
    on = lab.settings.date().isoformat()
    log.append(lab.paths, WITHDRAWN, {"request": request, "run": run, "reason": reason.value, "on": on})
    return True


def is_withdrawn(events: Iterable[Mapping[str, Any]], request: str) -> bool:
    """Whether the log says that a request was withdrawn."""
    return any(e["event"] == WITHDRAWN and e["facts"]["request"] == request for e in events)


def reports_withdrawn(events: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Runs whose report was withdrawn in clearance (`counterfoil clear LAB withdraw`)."""
    moves = (event["facts"] for event in events if event["event"] == CLEARANCE)
    return frozenset(facts["run"] for facts in moves if facts["move"] == Move.WITHDRAW.value)


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
