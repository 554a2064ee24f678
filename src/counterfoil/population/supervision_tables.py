"""Probation's tables: events, requirements, licence conditions, post-sentence supervision; with the real ones' faults.

An event is there twice now and then. The length of a requirement is a number without a unit, which is that of its type.
The date a requirement began is mostly empty. Ages are out of range and ethnicities are dummies at times.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.lab.progress import Progress
from counterfoil.population.assessments import PRIVATE_FROM, PRIVATE_UNTIL, SECTIONS, Assessments, need
from counterfoil.population.calendar import MISSING, Days, day, to_arrow
from counterfoil.population.careers import ADULT, Sanctions
from counterfoil.population.counters import Draws
from counterfoil.population.custody_tables import genders, impossible, whole_years
from counterfoil.population.labels import (
    AREAS_IN_REGION,
    area_labels,
    lsoas,
    offence_codes,
    prisons,
    record_ids,
    region_text,
)
from counterfoil.population.offences import GROUPS
from counterfoil.population.people import People, ethnicities
from counterfoil.population.risk import ogrs
from counterfoil.population.sentencing import YEAR
from counterfoil.population.settings import LAST_DAY
from counterfoil.population.sources import LICENCE_FOR_ALL, Sources
from counterfoil.population.strings import decode
from counterfoil.population.writing import Columns, Positions, write_in_parts

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]

EVENT_TWICE = 0.03  # of events are there a second time, under another row key
BEGAN_KNOWN = 0.15  # of requirements have the date they began
DUMMY_ETHNICITY = 0.04  # refusals, dummy values and blanks together, beside what the record does not state
_OTHER_OFFENDER_ID = 0.10  # one for each court case in principle
_PRISON_LABEL, _TEST_LABEL = 0.03, 0.0008  # of offices are a prison, or a test area
_DISPOSALS = ("community order", "suspended sentence order", "custody", "youth order", "other")
_OTHER_ORDER = 0.004
_ENDINGS = ("completed_early", "expired", "revoked_failure", "revoked_conviction", "other")
_MONTH = 30.4375
_DUMMIES = ("Refusal", "Z_Dummy Ethnicity 04", "Z_Dummy Ethnicity 05", None)
_ETHNICITY_TEXTS = {
    "W1": "White: British/English/Welsh/Scottish/Northern Irish", "W2": "White : Irish",
    "W3": "White: Gypsy, Irish Traveller, Romany", "W9": "White : Other", "M1": "Mixed: White and Black Caribbean",
    "M2": "Mixed: White and Black African", "M3": "Mixed: White and Asian", "M9": "Mixed : Other",
    "A1": "Asian or Asian British: Indian", "A2": "Asian or Asian British: Pakistani",
    "A3": "Asian or Asian British: Bangladeshi", "A4": "Chinese", "A9": "Asian or Asian British: Other",
    "B1": "Black or Black British: Caribbean", "B2": "Black or Black British: African",
    "B9": "Black or Black British: Other", "O1": "Arab", "O9": "Other Ethnic Group", "NS": "Refusal",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Requirement:
    """A type of requirement. `low` to `high` in `unit`, of which `days` make one; hours are worked off, not counted."""

    code: str
    label: str
    unit: str
    days: float
    low: int
    high: int
    weight: float
    section: str = ""  # of the assessment: those with more need get it more often


REQUIREMENTS = (
    Requirement("F", "Rehabilitation activity", "days", 6.0, 5, 61, 0.36),
    Requirement("W", "Unpaid work", "hours", 1.6, 40, 301, 0.30),
    Requirement("C", "Curfew (electronic monitoring)", "days", 1.0, 14, 181, 0.13),
    Requirement("P", "Programme", "days", 6.0, 10, 46, 0.07, "think"),
    Requirement("D", "Drug rehabilitation", "months", _MONTH, 3, 13, 0.045, "drug"),
    Requirement("A", "Alcohol Treatment", "months", _MONTH, 3, 13, 0.03, "alcohol"),
    Requirement("B", "Alcohol Abstinence & Electronic Monitoring (AAMR)", "days", 1.0, 30, 121, 0.02, "alcohol"),
    Requirement("H", "Mental health treatment", "months", _MONTH, 6, 25, 0.008),
    Requirement("R", "Residence", "months", _MONTH, 3, 13, 0.01, "acc"),
    Requirement("E", "Exclusion", "months", _MONTH, 3, 25, 0.015),
    Requirement("X", "Prohibited activity", "months", _MONTH, 3, 25, 0.01),
    Requirement("J", "Attendance centre", "hours", 4.0, 12, 37, 0.012),
)
NEED_RAISES = 0.7  # log weight of a requirement for each SD of the need that it is for
_NUMBER = (0.52, 0.34, 0.14)  # of orders with one, two and three requirements
_ALCOHOL_ABSTINENCE_FROM = day(dt.date(2014, 7, 31))

_CONDITIONS = ("standard", "residence", "contact", "exclusion_zone", "programme", "curfew", "drug_testing")
_CONDITION_WEIGHTS = (0.0, 0.25, 0.25, 0.16, 0.14, 0.10, 0.10)
_SUPERVISED = ("drug_appointment", "drug_testing", "standard")


@dataclass(frozen=True, slots=True)
class _Probation:
    people: People
    sanctions: Sanctions
    sources: Sources
    assessments: Assessments
    region: Codes
    draws: Draws
    assessed: Booleans  # whether each order has an assessment

    def person(self, orders: Integers) -> npt.NDArray[np.int32]:
        return self.sanctions.person[self.sources.orders.sanction[orders]]

    def events(self, orders: Integers) -> pa.Array:
        return self.draws.hashed(orders, "event")

    def begins(self, orders: Integers) -> Days:
        """Sentence, or release for a licence."""
        held = self.sources.orders
        released = self.sanctions.release[held.sanction[orders]]
        return np.where(held.kind[orders] == 2, released, held.sentenced[orders]).astype(np.int32)


def write_supervision(
    out: Path,
    draws: Draws,
    people: People,
    sanctions: Sanctions,
    sources: Sources,
    assessments: Assessments,
    region: Codes,
    progress: Progress,
) -> dict[str, int]:
    """Write the four tables; how many rows each has."""
    has = np.zeros(len(sanctions), np.bool_)
    has[assessments.sanction[assessments.spell < 0]] = True
    probation = _Probation(people, sanctions, sources, assessments, region, draws, has[sources.orders.sanction])
    return {
        "probation_flatfile": _write_events(out, probation, progress),
        "probation_rqmnts": _write_requirements(out, probation, progress),
        "probation_licence_conditions": _write_conditions(out, probation, progress),
        "probation_pss_requirements": _write_supervised(out, probation, progress),
    }


def _write_events(out: Path, probation: _Probation, progress: Progress) -> int:
    orders, record_of = probation.sources.orders, probation.sources.probation.holdings.of_event
    order = np.lexsort((orders.kind, orders.sentenced, record_of))
    twice = probation.draws.uniform(order, "twice") < EVENT_TWICE
    count = 1 + twice
    again = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    order = np.repeat(order, count)

    def columns(at: Positions) -> Columns:
        rows = order[at]
        key = {"row_id_hash": probation.draws.hashed(rows * 2 + again[at], "row")}
        return {**key, **_event_person(probation, rows), **_event_sentence(probation, rows)}

    return write_in_parts(
        out / "probation_flatfile.parquet", len(order), columns, progress=progress, label="Writing probation events"
    )


def _event_person(probation: _Probation, rows: Integers) -> Columns:
    draws, people, orders = probation.draws, probation.people, probation.sources.orders
    source = probation.sources.probation
    record, person, sanction = source.holdings.of_event[rows], probation.person(rows), orders.sanction[rows]
    offended = probation.sanctions.offence_day[sanction]
    other_id = record * 8 + np.where(
        draws.uniform(rows, "offender id") < _OTHER_OFFENDER_ID, draws.whole(rows, "which id", 1, 8), 0
    )
    referred = np.maximum(orders.sentenced[rows] - draws.whole(rows, "referred", 0, 42), offended)
    group = probation.sanctions.group[sanction]
    return {
        "record_id": record_ids("probation", record),
        "offender_id_hash": draws.hashed(other_id, "offender"),
        "event_id_hash": probation.events(rows),
        "referral_date": to_arrow(referred.astype(np.int32)),
        "gender": genders(people.female[person]),
        "age_at_offence": impossible(draws, rows, whole_years(offended, people.born[person])),
        "ethnicity_desc": _ethnicity(draws, rows, source.said.ethnicity[record]),
        "lsoa_residence": lsoas(people.region[person], people.places[person, 0]),
        "main_offence_date": to_arrow(offended),
        "mo_code": offence_codes(group, draws.whole(sanction, "offence", 1, 20)),
        "mo_category_description": decode(group, GROUPS),
    }


def _ethnicity(draws: Draws, rows: Integers, said: Codes) -> pa.Array:
    texts = decode(said, [_ETHNICITY_TEXTS[code] for code in ethnicities()])
    dummy = pa.array(draws.uniform(rows, "dummy") < DUMMY_ETHNICITY)
    which = draws.whole(rows, "which dummy", 0, len(_DUMMIES))
    known = np.where(which == len(_DUMMIES) - 1, -1, which)
    return pc.if_else(dummy, decode(known, [text or "" for text in _DUMMIES]), texts)


def _event_sentence(probation: _Probation, rows: Integers) -> Columns:
    draws, orders, sanctions = probation.draws, probation.sources.orders, probation.sanctions
    sanction, kind, days = orders.sanction[rows], orders.kind[rows], orders.length[rows]
    age = whole_years(orders.sentenced[rows], probation.people.born[probation.person(rows)])
    shown = np.where((kind == 0) & (age < ADULT), 3, kind)
    shown = np.where((kind < 2) & (draws.uniform(rows, "other order") < _OTHER_ORDER), 4, shown)
    months = np.maximum(np.rint(days / _MONTH), 1)
    ended = orders.ended[rows]
    recalled = (kind == 2) & (sanctions.recall[sanction] != MISSING)
    breaches = (draws.uniform(rows, "breached") < 0.17).astype(np.int64) + (draws.uniform(rows, "again") < 0.05)
    risk = np.round(ogrs(probation.people, sanctions, sanction)[1], 1)
    return {
        "probation_area_desc": _office(probation, rows),
        "disposal_type_description": decode(shown, _DISPOSALS),
        "disposal_date": to_arrow(orders.sentenced[rows]),
        "disposal_termination_date": to_arrow(ended),
        "length": pa.array(np.where(kind == 2, days, months).astype(np.int64)),
        "length_in_days": pa.array(days.astype(np.int64)),
        "recall_count": pa.array(recalled.astype(np.int64)),
        "breach_count": pa.array(breaches),
        "termination_reason": decode(np.where(ended == MISSING, -1, _ending(probation, rows)), _ENDINGS),
        "oasys_score_at_start": pa.array(risk, mask=~probation.assessed[rows]),
        "region": region_text(probation.region[sanction]),
    }


def _ending(probation: _Probation, rows: Integers) -> Integers:
    orders = probation.sources.orders
    early = orders.ended[rows] - probation.begins(rows) < orders.length[rows] - 1
    way = np.array([0, 2, 3, 4])[probation.draws.pick(rows, "ending", (0.25, 0.4, 0.3, 0.05))]
    return np.where(early, way, 1)


def _office(probation: _Probation, rows: Integers) -> pa.Array:
    draws, orders = probation.draws, probation.sources.orders
    region, person = probation.region[orders.sanction[rows]], probation.person(rows)
    lower_risk = (orders.kind[rows] < 2) | (probation.sanctions.sentence_days[orders.sanction[rows]] < YEAR)
    label = area_labels(
        region,
        draws.whole(rows, "office", 0, AREAS_IN_REGION),
        lower_risk,
        probation.begins(rows),
        (PRIVATE_FROM, PRIVATE_UNTIL),
    )
    prison = prisons(region, draws.whole(rows, "prison", 0, 12), probation.people.female[person])
    drawn = draws.uniform(rows, "office kind")
    label = pc.if_else(pa.array(drawn < _PRISON_LABEL), prison, label)
    return pc.if_else(pa.array(drawn >= 1 - _TEST_LABEL), pa.scalar("ZZ Test Area"), label)


def _write_requirements(out: Path, probation: _Probation, progress: Progress) -> int:
    orders, draws = probation.sources.orders, probation.draws
    court = np.flatnonzero(orders.kind < 2)
    count = 1 + draws.pick(court, "requirements", _NUMBER)
    order = np.repeat(court, count)
    number = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)

    def columns(at: Positions) -> Columns:
        rows, mine = order[at], order[at] * 4 + number[at]
        kind = _requirement_kinds(probation, rows, mine)
        return {
            "rqmnt_row_id": draws.hashed(mine, "requirement row"),
            "event_id_hash": probation.events(rows),
            "rqmnt_type_main_category_code": decode(kind, [r.code for r in REQUIREMENTS]),
            "rqmnt_type_main_category_desc": decode(kind, [r.label for r in REQUIREMENTS]),
            "rqmnt_type_sub_category": decode(np.where(draws.uniform(mine, "sub") < 0.5, kind, -1), _SUB_CATEGORIES),
            **_requirement_dates(probation, rows, mine, kind),
            "probation_area_desc": _office(probation, rows),
        }

    return write_in_parts(
        out / "probation_rqmnts.parquet", len(order), columns, progress=progress, label="Writing requirements"
    )


_SUB_CATEGORIES = [f"{requirement.label}, standard" for requirement in REQUIREMENTS]


def _requirement_kinds(probation: _Probation, rows: Integers, mine: Integers) -> Integers:
    """The largest of Gumbel draws and log weights, so that a need raises what it is for."""
    person, sections = probation.person(rows), {section.name: section for section in SECTIONS}
    best, kind = np.full(len(rows), -np.inf), np.zeros(len(rows), np.int64)
    for place, requirement in enumerate(REQUIREMENTS):
        drawn = np.log(requirement.weight) - np.log(-np.log(probation.draws.uniform(mine, requirement.code) + 1e-300))
        if requirement.section:
            needed = need(probation.assessments.draws, sections[requirement.section], probation.people, person)
            drawn = drawn + NEED_RAISES * needed - NEED_RAISES**2 / 2
        if requirement.code == "B":
            drawn = np.where(probation.sources.orders.sentenced[rows] < _ALCOHOL_ABSTINENCE_FROM, -np.inf, drawn)
        kind, best = np.where(drawn > best, place, kind), np.maximum(drawn, best)
    return kind


def _requirement_dates(probation: _Probation, rows: Integers, mine: Integers, kind: Integers) -> Columns:
    draws, orders = probation.draws, probation.sources.orders
    low, high = (np.array([getattr(r, name) for r in REQUIREMENTS])[kind] for name in ("low", "high"))
    length = low + np.floor(draws.uniform(mine, "length") * (high - low)).astype(np.int64)
    days = length * np.array([r.days for r in REQUIREMENTS])[kind]
    imposed = orders.sentenced[rows] + np.where(draws.uniform(mine, "later") < 0.1, draws.whole(mine, "by", 1, 30), 0)
    began = imposed + draws.whole(mine, "began", 1, 45)
    known = draws.uniform(mine, "began known") < BEGAN_KNOWN
    expected = (imposed + np.rint(days)).astype(np.int32)
    done = draws.uniform(mine, "done") < 0.72
    order_end = orders.ended[rows]
    end = np.where(done, expected, order_end)
    seen = (order_end != MISSING) & (draws.uniform(mine, "end seen") < 0.93)
    end = np.where(seen, np.minimum(end, np.maximum(order_end, imposed)), MISSING).astype(np.int32)
    reason = np.where(seen, np.where(done, 0, 1 + (draws.uniform(mine, "reason") < 0.4)), -1)
    return {
        "rqmnt_start_date": to_arrow(imposed.astype(np.int32)),
        "rqmnt_commencement_date": to_arrow(np.where(known & (began <= LAST_DAY), began, MISSING).astype(np.int32)),
        "rqmnt_expected_end_date": to_arrow(expected),
        "rqmnt_termination_date": to_arrow(end),
        "rqmnt_termination_reason_desc": decode(reason, ("Requirement Completed", "Expired (Normal)", "Revoked")),
        "length": pa.array(length),
    }


def _write_conditions(out: Path, probation: _Probation, progress: Progress) -> int:
    """The standard conditions of every licence, and for some up to three more."""
    draws = probation.draws
    licences = np.flatnonzero(probation.sources.orders.kind == 2)
    count = 1 + draws.pick(licences, "conditions", (0.45, 0.25, 0.18, 0.12))
    order = np.repeat(licences, count)
    number = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)

    def columns(at: Positions) -> Columns:
        rows, mine = order[at], order[at] * 4 + number[at]
        kind = np.where(number[at] == 0, 0, draws.pick(mine, "condition", _CONDITION_WEIGHTS))
        ended = probation.sources.orders.ended[rows]
        reason = np.where(ended == MISSING, -1, draws.pick(mine, "ended", (0.8, 0.15, 0.05)))
        return {
            "lic_condition_row_id": draws.hashed(mine, "condition row"),
            "event_id_hash": probation.events(rows),
            "lic_condition_type_main_desc": decode(kind, _CONDITIONS),
            "lic_condition_start_date": to_arrow(probation.begins(rows)),
            "lic_condition_termination_date": to_arrow(ended),
            "lic_condition_termination_reason": decode(reason, ("Expired", "Recalled", "Cancelled")),
        }

    return write_in_parts(
        out / "probation_licence_conditions.parquet", len(order), columns, progress=progress, label="Writing conditions"
    )


def _write_supervised(out: Path, probation: _Probation, progress: Progress) -> int:
    """Supervision after sentences of under two years, since 1 February 2015."""
    orders, sanctions, draws = probation.sources.orders, probation.sanctions, probation.draws
    short = sanctions.sentence_days[orders.sanction] < 2 * YEAR
    after = np.flatnonzero((orders.kind == 2) & short & (sanctions.offence_day[orders.sanction] >= LICENCE_FOR_ALL))
    count = 1 + (draws.uniform(after, "supervised more") < 0.2)
    order = np.repeat(after, count)
    number = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)

    def columns(at: Positions) -> Columns:
        rows, mine = order[at], order[at] * 2 + number[at]
        kind = np.where(number[at] == 0, 2, draws.whole(mine, "supervised", 0, 2))
        half = sanctions.sentence_days[orders.sanction[rows]] // 2
        starts = np.minimum(probation.begins(rows) + half, LAST_DAY)
        return {
            "pss_row_id": draws.hashed(mine, "supervision row"),
            "event_id_hash": probation.events(rows),
            "pss_rqmnt_type_main_category": decode(kind, _SUPERVISED),
            "pss_rqmnt_start_date": to_arrow(starts.astype(np.int32)),
            "pss_rqmnt_termination_date": to_arrow(orders.ended[rows]),
        }

    return write_in_parts(
        out / "probation_pss_requirements.parquet", len(order), columns, progress=progress, label="Writing supervision"
    )


def relations() -> dict[str, object]:
    """How requirements hang together with needs, and the faults, for the truth."""
    return {
        "log weight of a requirement by its need": NEED_RAISES,
        "events there twice": EVENT_TWICE,
        "requirements with the date they began": BEGAN_KNOWN,
        "dummy, refused or blank ethnicities": DUMMY_ETHNICITY,
        "units of length": {r.code: r.unit for r in REQUIREMENTS},
    }
