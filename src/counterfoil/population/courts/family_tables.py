"""The tables of the family courts, with the real system's faults.

An event is entered twice now and then, under one key. Dates of receipt are missing, so that the date of entry is all
there is. Some dates are 1 January 1900. Roles that were deleted and events entered in error are still there.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.lab.progress import Progress
from counterfoil.population.calendar import MISSING, Days, day, to_arrow
from counterfoil.population.courts import shared_columns as shared
from counterfoil.population.courts.couples import KINDS, YEAR, Kind
from counterfoil.population.courts.family import DELETED, ROLES, FamilyCourts, Role
from counterfoil.population.courts.parties import NOBODY, null_where, number_within
from counterfoil.population.custody_tables import whole_years
from counterfoil.population.identities import SEXES
from counterfoil.population.labels import lsoas, record_ids, region_text
from counterfoil.population.places import postcodes
from counterfoil.population.settings import LAST_DAY
from counterfoil.population.strings import StringPool, decode, digits, glue
from counterfoil.population.tables import regions
from counterfoil.population.writing import Columns, Positions, write_in_parts

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

EVENT_TWICE = 0.03  # of events are there a second time, under another row key
NO_RECEIPT = 0.06  # of events have the date of entry alone
IN_ERROR = 0.01  # of events
PLACEHOLDER_DATES = 0.004  # of start and receipt dates
DUMMY_COURT = 0.002
NO_DATE = day(dt.date(1900, 1, 1))
COURTS_IN_REGION = 5
_RELATED = 0.6  # of later cases of a family say so
_NO_FAULT_FROM = day(dt.date(2022, 4, 6))
_MOST_EVENTS = 6
_CASE_LETTERS = ("C", "P", "A", "D", "F", "Z")
_GROUNDS = ("behaviour", "two years", "five years", "adultery", "desertion", "none")
_AUTHORITIES = ("County Council", "Borough Council", "City Council", "Council")

# What an event may be: model, group, and the order types it may name, by kind of case.
_APPLICATION, _HEARING, _ORDER, _OTHER = range(4)
_GROUPS = ("application", "hearing", "order", "administrative")
_MODELS = (
    "U22", "G50", "C43", "C32", "G63", "ORDNOM", "ORDREF", "ORDDIV", "FL404", "FL406", "ADOPT", "C6", "G61", "ADM",
)  # fmt: skip
_FINAL_MODEL = ("C32", "C43", "ADOPT", "ORDDIV", "FL404", "ORDNOM")  # of each kind of case
_ORDERS = (
    ("care", "supervision", "special guardianship"),
    ("child arrangements (live with)", "child arrangements (spend time)", "prohibited steps", "specific issue"),
    ("adoption",),
    (),
    ("non-molestation", "occupation"),
    (),
)
_ORDER_TYPES = tuple(name for names in _ORDERS for name in names)
_FIRST_ORDER = np.cumsum([0, *(len(names) for names in _ORDERS)])[:-1]
_NUMBER_OF_ORDERS = np.array([len(names) for names in _ORDERS])
_HEARINGS = ("first", "directions", "fact_finding", "final")


def write_family(out: Path, pool: StringPool, courts: FamilyCourts, progress: Progress) -> dict[str, int]:
    """Write the four tables; how many rows each has."""
    return {
        "family_person_records": _write_records(out, pool, courts, progress),
        "family_cases": _write_cases(out, courts, progress),
        "family_events": _write_events(out, courts, progress),
        "family_people": _write_roles(out, courts, progress),
    }


def _write_records(out: Path, pool: StringPool, courts: FamilyCourts, progress: Progress) -> int:
    humans = len(courts.source.holdings)
    owners = np.flatnonzero(courts.roles.person == NOBODY)

    def people(at: Positions) -> Columns:
        said = courts.source.said.take(at)
        return {
            "record_id": record_ids("family", at),
            "party_kind": null_where(decode(np.zeros(len(at), np.int8), ("person",)), _rare(courts, at, 0.05)),
            "forename1": pool.to_arrow(said.forename1),
            "forename2": pool.to_arrow(said.forename2),
            "surname": pool.to_arrow(said.surname),
            "aliases": pool.to_arrow(said.aliases),
            "date_of_birth": to_arrow(said.born),
            "sex": decode(said.sex, SEXES),
            "postcode": postcodes(said.place),
        }

    def organisations(at: Positions) -> Columns:
        rows = owners[at]
        guardian = courts.roles.role[rows] == Role.GUARDIAN
        none = pa.nulls(len(at), pa.string())
        name = shared.either(guardian, "Cafcass", _authorities(courts, courts.roles.case[rows]))
        return {
            "record_id": record_ids("family", at + humans),
            "party_kind": decode(guardian.astype(np.int8), ("local authority", "organisation")),
            "forename1": none, "forename2": none, "surname": name, "aliases": none,
            "date_of_birth": to_arrow(np.full(len(at), MISSING, np.int32)),
            "sex": none, "postcode": none,
        }  # fmt: skip

    columns = shared.one_after_another(people, humans, organisations)
    return write_in_parts(
        out / "family_person_records.parquet",
        humans + len(owners),
        columns,
        progress=progress,
        label="Writing people of family",
    )


def _rare(courts: FamilyCourts, at: Integers, chance: float) -> Booleans:
    return np.asarray(courts.draws.uniform(at, "no kind") < chance, np.bool_)


def _authorities(courts: FamilyCourts, case: Integers) -> pa.Array:
    region = courts.cases.region[case]
    kind = courts.draws.whole(case, "authority", 0, len(_AUTHORITIES))
    place = decode(region, [r.code.replace("_", " ").title() for r in regions()])
    return glue(place, " ", decode(kind, _AUTHORITIES))


def _numbers(courts: FamilyCourts, case: Integers) -> pa.Array:
    return courts.draws.hashed(case, "case number")


def _maybe_unknown(courts: FamilyCourts, rows: Integers, what: str, days: Days) -> Days:
    unknown = courts.draws.uniform(rows, what) < PLACEHOLDER_DATES
    return np.where(unknown & (days != MISSING), NO_DATE, days).astype(np.int32)


def _write_cases(out: Path, courts: FamilyCourts, progress: Progress) -> int:
    cases, draws = courts.cases, courts.draws
    sizes = {
        role: np.bincount(courts.roles.case[courts.roles.role == role], minlength=len(cases))
        for role in (Role.APPLICANT, Role.RESPONDENT, Role.CHILD)
    }

    def columns(at: Positions) -> Columns:
        court = draws.whole(cases.family[at], "court", 0, COURTS_IN_REGION)
        kind, close = cases.kind[at].astype(np.int64), cases.close[at]
        weeks = np.round((close - cases.start[at]) / 7.0, 1)
        related = (cases.number[at] > 0) & (draws.uniform(at, "related") < _RELATED)
        ground = draws.pick(at, "ground", (0.46, 0.27, 0.15, 0.10, 0.02))
        ground = np.where(cases.start[at] >= _NO_FAULT_FROM, len(_GROUNDS) - 1, ground)
        return shared.in_order("family", "cases", {
            "case_number_hash": _numbers(courts, at),
            "case_type": decode(kind, KINDS),
            "case_type_code": decode(kind, _CASE_LETTERS),
            "originating_court": _courts(courts, at, court),
            "dfj_area": decode(cases.region[at].astype(np.int64) * 3 + court % 3, _AREAS),
            "region": region_text(cases.region[at]),
            "case_start_date": to_arrow(_maybe_unknown(courts, at, "no start", cases.start[at])),
            "case_close_date": to_arrow(close),
            "related_case_hash": null_where(_numbers(courts, np.maximum(at - 1, 0)), ~related),
            "high_court_flag": pa.array(draws.uniform(at, "high court") < 0.004),
            "applicant_count": pa.array(sizes[Role.APPLICANT][at]),
            "respondent_count": pa.array(sizes[Role.RESPONDENT][at]),
            "child_count": pa.array(sizes[Role.CHILD][at]),
            "weeks_to_disposal": pa.array(weeks, mask=close == MISSING),
            "hearing_flag": pa.array(_heard(courts, at)),
            "marriage_date": to_arrow(cases.married[at]),
            "divorce_ground": decode(np.where(kind == Kind.DIVORCE, ground, -1), _GROUNDS),
        })  # fmt: skip

    return write_in_parts(
        out / "family_cases.parquet", len(cases), columns, progress=progress, label="Writing family cases"
    )


_AREAS = [f"DFJ {r.code.replace('_', ' ').title()} {number}" for r in regions() for number in (1, 2, 3)]
_COURTS = [
    f"Family Court {r.code.replace('_', ' ').title()} {number}"
    for r in regions()
    for number in range(1, COURTS_IN_REGION + 1)
]


def _courts(courts: FamilyCourts, at: Integers, court: Integers) -> pa.Array:
    names = decode(courts.cases.region[at].astype(np.int64) * COURTS_IN_REGION + court, _COURTS)
    return shared.either(courts.draws.uniform(at, "dummy court") < DUMMY_COURT, "ZZ Test Court", names)


def _heard(courts: FamilyCourts, case: Integers) -> Booleans:
    """Divorces are mostly on paper."""
    chance = np.where(courts.cases.kind[case] == Kind.DIVORCE, 0.04, 0.93)
    return np.asarray(courts.draws.uniform(case, "heard") < chance, np.bool_)


def _write_events(out: Path, courts: FamilyCourts, progress: Progress) -> int:
    """An application, hearings where there are any, other steps, and the final order of a closed case; some twice."""
    cases, draws = courts.cases, courts.draws
    number = np.arange(len(cases))
    hearings = np.where(_heard(courts, number), draws.whole(number, "hearings", 1, 4), 0)
    closed = cases.close != MISSING
    count = 2 + hearings + closed
    case = np.repeat(number, count)
    place = number_within(case)
    kind = np.where(place == 0, _APPLICATION, np.where(place <= hearings[case], _HEARING, _OTHER))
    kind = np.where(closed[case] & (place == count[case] - 1), _ORDER, kind)
    span = np.where(closed, cases.close, LAST_DAY) - cases.start
    date = (cases.start[case] + span[case] * (place / np.maximum(count[case] - 1, 1))).astype(np.int32)
    own = case * (_MOST_EVENTS + 1) + place
    twice = draws.uniform(own, "twice") < EVENT_TWICE
    rows = np.repeat(np.arange(len(case)), 1 + twice)
    again = number_within(rows)

    def columns(at: Positions) -> Columns:
        row = rows[at]
        steps = _Steps(courts, case[row], kind[row], place[row], hearings[case[row]], own[row])
        return shared.in_order("family", "events", {
            "event_row_id": draws.hashed(own[row] * 2 + again[at], "event row"),
            "event_id_hash": draws.hashed(own[row], "event"),
            "case_number_hash": _numbers(courts, case[row]),
            **steps.names(),
            **steps.dates(date[row]),
        })  # fmt: skip

    return write_in_parts(
        out / "family_events.parquet", len(rows), columns, progress=progress, label="Writing family events"
    )


@dataclass(frozen=True, slots=True)
class _Steps:
    """What some events are. `own` names an event in draws."""

    courts: FamilyCourts
    case: Integers
    group: Integers
    place: Integers
    hearings: Integers
    own: Integers

    @property
    def kind(self) -> Integers:
        return self.courts.cases.kind[self.case].astype(np.int64)

    def names(self) -> Columns:
        draws, group, kind = self.courts.draws, self.group, self.kind
        ends = draws.pick(self.own, "ending", (0.8, 0.06, 0.08, 0.06))  # as asked, withdrawn, no order, refused
        final = np.array([_MODELS.index(name) for name in _FINAL_MODEL])[kind]
        final = np.where(ends == 0, final, np.array([0, 4, 5, 6])[ends])
        asked = np.where(kind == Kind.DIVORCE, _MODELS.index("U22"), _MODELS.index("G50"))
        heard = np.where(draws.uniform(self.own, "form") < 0.5, _MODELS.index("C6"), _MODELS.index("G61"))
        model = np.choose(group, [asked, heard, final, np.full(len(group), _MODELS.index("ADM"))])
        types = _FIRST_ORDER[kind] + np.floor(draws.uniform(self.case, "order") * _NUMBER_OF_ORDERS[kind]).astype(
            np.int64
        )
        about = np.isin(group, (_APPLICATION, _ORDER)) & (_NUMBER_OF_ORDERS[kind] > 0)
        first = group == _APPLICATION
        protective = (kind == Kind.ABUSE) & (group == _ORDER)
        field = np.where(first, np.where(kind == Kind.DIVORCE, 0, 1), -1)
        return {
            "event_model": decode(model, _MODELS),
            "event_group": decode(group, _GROUPS),
            "order_type": decode(np.where(about, types, -1), _ORDER_TYPES),
            "error_flag": pa.array(draws.uniform(self.own, "error") < IN_ERROR),
            "field_model": decode(field, ("U22_AT", "G50_AT")),
            "value": null_where(glue(digits(kind + 1), ",", digits(draws.whole(self.own, "value", 1, 9))), ~first),
            "power_of_arrest_flag": pa.array(
                draws.uniform(self.own, "arrest") < 0.08, mask=~np.asarray(protective, np.bool_)
            ),
            "respondent_attended_flag": decode(
                np.where(protective, draws.pick(self.own, "notice", (0.45, 0.55)), -1), ("on notice", "ex parte")
            ),
        }

    def dates(self, date: Days) -> Columns:
        draws, hearing = self.courts.draws, self.group == _HEARING
        typed = np.minimum(date + draws.whole(self.own, "typed", 0, 12), LAST_DAY).astype(np.int32)
        unknown = draws.uniform(self.own, "no receipt") < NO_RECEIPT
        receipt = _maybe_unknown(self.courts, self.own, "receipt", np.where(unknown, MISSING, date).astype(np.int32))
        kind = np.where(self.place == 1, 0, np.where(self.place == self.hearings, 3, 1))
        vacated = hearing & (draws.uniform(self.own, "vacated") < 0.09)
        return {
            "receipt_date": to_arrow(receipt),
            "entry_date": to_arrow(typed),
            "hearing_type": decode(np.where(hearing, kind, -1), _HEARINGS),
            "hearing_date": to_arrow(np.where(hearing, date, MISSING).astype(np.int32)),
            "vacated_flag": pa.array(vacated, mask=~vacated),
        }


_ROLE_MODELS = ("APLC", "APLZ", "APLA", "RSPC", "RSPZ", "RSPA", "CHLD", "GRDN")


def _write_roles(out: Path, courts: FamilyCourts, progress: Progress) -> int:
    roles, draws = courts.roles, courts.draws
    twice = draws.uniform(np.arange(len(roles.case)), "deleted") < DELETED
    rows = np.repeat(np.arange(len(roles.case)), 1 + twice)
    again = number_within(rows)

    def columns(at: Positions) -> Columns:
        row = rows[at]
        return shared.in_order("family", "people", {
            "role_id_hash": draws.hashed(row * 2 + again[at], "role"),
            "record_id": record_ids("family", courts.record_of[row]),
            "case_number_hash": _numbers(courts, roles.case[row]),
            "row_id_hash": draws.hashed(courts.record_of[row], "row"),
            "delete_flag": pa.array(again[at] == 1),
            **_role(courts, row),
            **_person(courts, row),
        })  # fmt: skip

    return write_in_parts(
        out / "family_people.parquet", len(rows), columns, progress=progress, label="Writing family roles"
    )


def _role(courts: FamilyCourts, row: Integers) -> Columns:
    roles, draws = courts.roles, courts.draws
    role, kind = roles.role[row].astype(np.int64), courts.cases.kind[roles.case[row]]
    organisation = roles.person[row] == NOBODY
    branch = np.where(kind == Kind.ADOPTION, 2, np.where(np.isin(kind, (Kind.PUBLIC, Kind.PRIVATE)), 0, 1))
    model = np.choose(role, [branch, 3 + branch, np.full(len(row), 6), np.full(len(row), 7)])
    parent = np.isin(role, (Role.APPLICANT, Role.RESPONDENT)) & ~organisation & (branch != 1)
    chance = np.where(kind == Kind.PUBLIC, 0.85, 0.35)
    return {
        "role_model": decode(model, _ROLE_MODELS),
        "case_role": decode(role, ROLES),
        "representation": pa.array(draws.uniform(row, "represented") < chance),
        "local_authority_flag": decode(
            np.where(role == Role.APPLICANT, np.where(organisation, 0, 1), 2), ("LA", "Non-LA", "N/A")
        ),
        "relationship_to_child": decode(np.where(parent, np.where(roles.mother[row], 0, 1), -1), ("mother", "father")),
    }


def _person(courts: FamilyCourts, row: Integers) -> Columns:
    roles, people = courts.roles, courts.everyone.people
    organisation = roles.person[row] == NOBODY
    person = np.where(organisation, 0, roles.person[row])
    record = np.where(organisation, 0, courts.record_of[row])
    said = courts.source.said
    sex = np.where(organisation, 0, said.sex[record]).astype(np.int64)
    start = courts.cases.start[roles.case[row]]
    child = (roles.role[row] == Role.CHILD) & (courts.cases.kind[roles.case[row]] == Kind.ADOPTION)
    known = ~organisation & (said.born[record] != MISSING)
    age = np.where(known, whole_years(start, np.where(known, said.born[record], start)), 0)
    possible = known & (age >= 0) & (start - people.born[person] > -YEAR)
    return {
        "gender": decode(np.where(organisation, -1, np.array([2, 0, 1, 2])[sex.clip(0, 3)]), ("1", "2", "unknown")),
        "age_at_application": pa.array(age.clip(0, 130), mask=~possible),
        "country_of_birth_group": decode(
            np.where(child, courts.draws.pick(row, "born in", (0.94, 0.06)), -1), ("UK", "outside UK")
        ),
        "lsoa_residence": null_where(lsoas(people.region[person], people.places[person, 0]), organisation),
    }
