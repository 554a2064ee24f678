"""The calendar: which cleared report becomes public on which day, fixed early, moved only by an owner."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from counterfoil.clearance import Move, Signer, State, read_record
from counterfoil.clearance import actions as clearance
from counterfoil.clearance.record import Case
from counterfoil.clearance.texts import keep_texts
from counterfoil.errors import Refused, UsageError
from counterfoil.lab.make import OpenLab

NOTICE_DAYS = 28  # a date is fixed at least four weeks before (DISCLOSURE A10)
MONTHS_SHOWN = 12
RULE = "A10"
_SATURDAY = 5


class Intervention(Enum):
    """Kinds of intervention, by which findings are put together (EVALUATION A1, A14)."""

    ACCOMMODATION = "accommodation"
    EDUCATION = "education"
    EMPLOYMENT = "employment"
    FAMILY = "family"
    HEALTH = "health"
    MENTORING = "mentoring"
    PROGRAMME = "programme"
    OTHER = "other"


class Sector(Enum):
    """Who gives the service."""

    PRIVATE = "private"
    PUBLIC = "public"
    EDUCATIONAL = "educational"
    VOLUNTARY = "voluntary"


@dataclass(frozen=True, slots=True)
class Planned:
    """A report's place in the calendar. `corrects`: the published run that it replaces; `reason`: hash of why."""

    run: str
    date: str
    intervention: Intervention
    sector: Sector
    corrects: str = ""
    reason: str = ""


def plan(
    lab: OpenLab,
    run: str,
    *,
    signer: Signer,
    date: str,
    intervention: Intervention | None = None,
    sector: Sector | None = None,
    corrects: str = "",
    reason: str = "",
) -> Planned:
    """Fix the day of a cleared report (a publisher), or move it (an owner, with a reason).

    Refused (A10): a day that is past, nearer than four weeks, beyond the calendar, or no working day. A correction
    needs no four weeks, but a reason, which becomes public and holds no digit.
    """
    case = read_record(lab).case(run)
    if case.state is State.SCHEDULED:
        return _move(lab, case, signer, date, reason)
    if intervention is None or sector is None:
        raise UsageError("Say what kind of intervention it is and who gives it: --intervention and --sector.")
    check_date(date, lab.settings.date().isoformat(), corrects=bool(corrects))
    facts = {"intervention": intervention.value, "sector": sector.value}
    if corrects:
        _check_corrects(lab, run, corrects)
        check_public_reason(reason)
        facts |= {"corrects": corrects, "text": keep_texts(lab.paths, reason=reason)}
    return planned_of(clearance.schedule(lab, run, signer=signer, date=date, facts=facts))


def _move(lab: OpenLab, case: Case, signer: Signer, date: str, reason: str) -> Planned:
    before = planned_of(case)
    check_date(date, lab.settings.date().isoformat(), corrects=bool(before.corrects), before=before.date)
    return planned_of(clearance.reschedule(lab, case.run, signer=signer, date=date, reason=reason))


def planned_of(case: Case) -> Planned:
    """Where a report stands in the calendar. Refused when its day was fixed by the way, without the four weeks."""
    found: Planned | None = None
    for entry in case.history:
        facts = entry.facts
        if facts["move"] == Move.SCHEDULE.value:
            corrects = str(facts.get("corrects", ""))
            check_date(facts["date"], facts["on"], corrects=bool(corrects))
            found = _first(case.run, facts, corrects)
        elif facts["move"] == Move.RESCHEDULE.value and found is not None:
            check_date(facts["date"], facts["on"], corrects=bool(found.corrects), before=found.date)
            found = Planned(case.run, facts["date"], found.intervention, found.sector, found.corrects, found.reason)
    if found is None:
        raise Refused("No day was fixed for this report. counterfoil publish LAB plan fixes one.", rule=RULE)
    return found


def _first(run: str, facts: Mapping[str, Any], corrects: str) -> Planned:
    if not {"intervention", "sector"} <= facts.keys():
        raise Refused("A day was fixed for this report by the way. Withdraw it, and plan it anew.", rule=RULE)
    kind, sector = Intervention(facts["intervention"]), Sector(facts["sector"])
    return Planned(run, facts["date"], kind, sector, corrects, str(facts["text"]) if corrects else "")


def check_date(date: str, on: str, *, corrects: bool = False, before: str = "") -> None:
    """Refused unless on the day `on` a release can be fixed for `date`. `before`: the day that was fixed so far."""
    day, today = dt.date.fromisoformat(date), dt.date.fromisoformat(on)
    if day <= today:
        raise Refused("The release date is past, or today. Give a later one.", rule=RULE)
    if day.weekday() >= _SATURDAY:
        raise Refused("The release date is a Saturday or a Sunday. Give a working day.", rule=RULE)
    if day > _months_on(today, MONTHS_SHOWN):
        raise Refused("The release date is further away than the calendar shows, which is 12 months.", rule=RULE)
    is_put_off = bool(before) and date > before > on
    if not corrects and not is_put_off and (day - today).days < NOTICE_DAYS:
        raise Refused("The release date is nearer than four weeks. Give a later one.", rule=RULE)


def _months_on(day: dt.date, months: int) -> dt.date:
    """The last day of the month that is so many months on."""
    year, month = divmod(day.year * 12 + day.month + months, 12)
    return dt.date(year, month + 1, 1) - dt.timedelta(days=1)


def _check_corrects(lab: OpenLab, run: str, corrects: str) -> None:
    if corrects == run or read_record(lab).case(corrects).state is not State.PUBLISHED:
        raise Refused("Only a report that is public, and is not corrected already, can be corrected.", rule="clearance")


def check_public_reason(reason: str) -> None:
    """Refused when words that become public hold a digit: numbers come from cleared reports alone (R22)."""
    if any(character.isdigit() for character in reason):
        raise Refused(
            "What becomes public beside a report holds no digit: numbers come from cleared reports. Say it in words.",
            rule="R22",
        )
