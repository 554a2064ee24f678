"""Who may see a report before it is public: named, for a reason, for at most a day, and in the log.

Names and reasons stay in the lab; the log holds their hash. What becomes public, with the report, is the office that
each person held and how many there were (Pre-release Access to Official Statistics Order 2008).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from counterfoil.clearance import Signer, State
from counterfoil.clearance.people import check_signed
from counterfoil.clearance.record import Record, replay
from counterfoil.clearance.texts import keep_texts, read_texts
from counterfoil.errors import Refused
from counterfoil.lab import log
from counterfoil.lab.heads import checked_entries
from counterfoil.lab.log import Entry
from counterfoil.lab.make import OpenLab
from counterfoil.lab.settings import PersonRole
from counterfoil.provenance import canonical_json
from counterfoil.publication.clock import Instant, release_time
from counterfoil.publication.planning import check_public_reason, planned_of

PRE_RELEASE = "pre-release"
LONGEST = dt.timedelta(hours=24)  # the Order's limit


@dataclass(frozen=True, slots=True)
class Seen:
    """One person's early sight of one report. `name` and `reason` never leave the lab."""

    run: str
    name: str
    office: str
    reason: str
    starts: Instant
    ends: Instant


def grant(lab: OpenLab, run: str, *, signer: Signer, name: str, office: str, reason: str) -> Seen:
    """Put a person on the list of a report whose day is fixed. A publisher or an owner signs.

    The same again, after a command that was stopped, is the same place on the list.
    """
    check_public_reason(office)
    text = keep_texts(lab.paths, name=name, office=office, reason=reason)

    def make(there: Sequence[Entry]) -> tuple[str, Mapping[str, Any]]:
        record = replay(there)
        case = record.case(run)
        if case.state is not State.SCHEDULED:
            raise Refused(
                "Early sight is for a report whose day is fixed and has not come. counterfoil publish LAB plan.",
                rule="A10",
            )
        starts, ends = _window(planned_of(case).date)
        facts: dict[str, Any] = {
            "run": run, "by": signer.person, "follows": case.last, "lab": record.lab, "text": text,
            "starts": starts.isoformat(), "ends": ends.isoformat(), "on": lab.settings.date().isoformat(),
        }  # fmt: skip
        facts["signature"] = signer.key.sign(canonical_json(facts))
        _check(record, facts)
        return PRE_RELEASE, facts

    for entry in checked_entries(lab.paths):
        if entry.event == PRE_RELEASE and (entry.facts["run"], entry.facts["text"]) == (run, text):
            return _read(lab, entry.facts)
    return _read(lab, log.append_after(lab.paths, make).facts)


def grants_of(lab: OpenLab, record: Record, run: str) -> tuple[Seen, ...]:
    """Everybody who was put on the list of a report, oldest first. Refused when one of them was not signed for."""
    found = []
    for entry in checked_entries(lab.paths):
        if entry.event == PRE_RELEASE and entry.facts["run"] == run:
            _check(record, entry.facts)
            found.append(_read(lab, entry.facts))
    return tuple(found)


def _window(date: str) -> tuple[Instant, Instant]:
    ends = release_time(date)
    return ends - LONGEST, ends


def _check(record: Record, facts: Mapping[str, Any]) -> None:
    member = record.roster.member(str(facts["by"]))
    check_signed(facts, member.key, follows=str(facts["follows"]), lab=record.lab)
    if not member.roles & {PersonRole.PUBLISHER, PersonRole.OWNER}:
        raise Refused("Early sight is given by a publisher or an owner.", rule="people")


def _read(lab: OpenLab, facts: Mapping[str, Any]) -> Seen:
    said = read_texts(lab.paths, str(facts["text"]))
    starts, ends = (dt.datetime.fromisoformat(str(facts[end])) for end in ("starts", "ends"))
    return Seen(str(facts["run"]), said["name"], said["office"], said["reason"], starts, ends)
