"""Columns that both courts' tables have."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.domains import load
from counterfoil.population.calendar import Days, day, to_arrow
from counterfoil.population.careers import Careers
from counterfoil.population.counters import Draws
from counterfoil.population.courts.cases import Cases, Matter
from counterfoil.population.courts.criminal import Court
from counterfoil.population.identities import SEXES
from counterfoil.population.labels import offence_codes, record_ids
from counterfoil.population.offences import GROUPS, TIERS
from counterfoil.population.people import People, ethnicities
from counterfoil.population.places import postcodes
from counterfoil.population.strings import StringPool, decode
from counterfoil.population.writing import Columns, Positions

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]

TWICE = 0.012  # of offence rows are there twice
NO_CODE = 0.01  # of codes are a dummy
PLACEHOLDER = day(dt.date(1900, 1, 1))
_PLACEHOLDERS = 0.004  # of offence dates
_SAID_TO_WALK_IN = 0.001  # of those brought from prison are recorded as having come by themselves
_VIDEO_FROM = day(dt.date(2020, 4, 1))

GENDERS = ("M", "F", "NK", "company")
ATTENDANCES = ("in_person", "produced", "video", "absent", "not_known")
REMAND = ("custody", "bail", "not_remanded", "not_applicable", "not_known")
REPRESENTED = ("represented", "unrepresented", "not_known")
COURT_GROUPS = (
    "violence", "sexual", "robbery", "theft", "criminal_damage", "drug", "weapons", "public_order", "miscellaneous",
    "fraud", "summary_non_motoring", "summary_motoring",
)  # fmt: skip
_GROUP_OF = {
    "violence": "violence", "robbery": "robbery", "public_order": "public_order", "sexual": "sexual",
    "burglary_domestic": "theft", "burglary_other": "theft", "theft": "theft", "handling": "theft", "fraud": "fraud",
    "breach": "miscellaneous", "vehicle_taking": "theft", "theft_from_vehicle": "theft", "motoring": "miscellaneous",
    "drink_driving": "summary_motoring", "criminal_damage": "criminal_damage", "drugs_supply": "drug",
    "drugs_possession": "drug", "other": "miscellaneous",
}  # fmt: skip
_MOTORING = tuple(GROUPS.index(group) for group in ("motoring", "drink_driving", "vehicle_taking"))


@dataclass(frozen=True, slots=True)
class Charges:
    """One entry an offence on a case, in the order of the cases' records; `number` names it in draws."""

    case: Integers
    record: Integers
    day: Days
    group: Codes
    tier: Codes
    sequence: Integers
    number: Integers

    def __len__(self) -> int:
        return len(self.case)


def charges(cases: Cases, careers: Careers, court: Court) -> Charges:
    """The offences of a court's cases: those that the sanction dealt with, or the one that came to nothing."""
    offences = careers.offences
    case_of = np.full(len(careers.sanctions), -1, np.int64)
    proven = np.flatnonzero(cases.sanction >= 0)
    case_of[cases.sanction[proven]] = proven
    of_sanction = np.flatnonzero(case_of[offences.sanction] >= 0)
    alone = np.flatnonzero(cases.sanction < 0)
    case = np.concatenate([case_of[offences.sanction[of_sanction]], alone])
    days = np.concatenate([offences.day[of_sanction], cases.offence_day[alone]])
    group = np.concatenate([offences.group[of_sanction], cases.group[alone]])
    tier = np.concatenate([offences.tier[of_sanction], cases.tier[alone]])
    record_of = np.full(len(cases), -1, np.int64)
    record_of[court.case] = np.arange(len(court.case))
    record = record_of[case]
    held = np.flatnonzero(record >= 0)
    order = held[np.lexsort((held, days[held], record[held]))]
    starts = np.flatnonzero(np.append(True, record[order][1:] != record[order][:-1])[: len(order)])
    sequence = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order)))) + 1
    return Charges(case[order], record[order], days[order], group[order], tier[order], sequence, order)


def twice(draws: Draws, number: Integers) -> tuple[Integers, Integers]:
    """Positions of offence rows with some of them repeated, and a number for each row of its own."""
    count = 1 + (draws.uniform(number, "twice") < TWICE)
    rows = np.repeat(np.arange(len(number)), count)
    again = np.append(False, rows[1:] == rows[:-1])[: len(rows)]
    return rows, number[rows] * 2 + again


def people_columns(pool: StringPool, court: Court) -> Callable[[Positions], Columns]:
    """The columns of a court's person records."""
    source = court.source

    def columns(at: Positions) -> Columns:
        said = source.said.take(at)
        return {
            "record_id": record_ids(source.name, at),
            "forename1": pool.to_arrow(said.forename1),
            "forename2": pool.to_arrow(said.forename2),
            "surname": pool.to_arrow(said.surname),
            "aliases": pool.to_arrow(said.aliases),
            "date_of_birth": to_arrow(said.born),
            "sex": decode(said.sex, SEXES),
            "ethnicity": decode(said.ethnicity, ethnicities()),
            "pnc_id": source.pnc.take(pa.array(at)),
            "cro": source.cro.take(pa.array(at)),
            "postcode": postcodes(said.place),
        }

    return columns


def in_order(source: str, table: str, columns: Columns) -> Columns:
    """The columns in the order of the source's schema."""
    return {name: columns[name] for name in load().sources[source].tables[table].columns}


def one_after_another(
    first: Callable[[Positions], Columns], size: int, second: Callable[[Positions], Columns]
) -> Callable[[Positions], Columns]:
    """Columns of a table whose first `size` rows are of one kind and the rest of another, the same columns in both."""

    def columns(at: Positions) -> Columns:
        one, other = first(at[at < size]), second(at[at >= size] - size)
        return {name: pa.concat_arrays([one[name], other[name].cast(one[name].type)]) for name in one}

    return columns


def case_groups(group: Codes, tier: Codes) -> pa.Array:
    """The twelve groups of the courts' statistics."""
    own = np.array([COURT_GROUPS.index(_GROUP_OF[name]) for name in GROUPS])[group]
    summary = np.where(np.isin(group, _MOTORING), 11, 10)
    return decode(np.where(tier == TIERS.index("summary"), summary, own), COURT_GROUPS)


def principal_codes(draws: Draws, number: Integers, group: Codes) -> pa.Array:
    """Home Office codes; 00000 stands for none."""
    dummy = draws.uniform(number, "no code") < NO_CODE
    return either(dummy, "00000", offence_codes(group, draws.whole(number, "offence", 1, 20)))


def offence_days(draws: Draws, number: Integers, days: Days) -> pa.Array:
    """Offence dates, now and then a placeholder."""
    unknown = draws.uniform(number, "no date") < _PLACEHOLDERS
    return to_arrow(np.where(unknown, PLACEHOLDER, days).astype(np.int32))


def genders(draws: Draws, people: People, person: npt.NDArray[np.int32], number: Integers) -> pa.Array:
    """M, F, now and then not known."""
    unknown = draws.uniform(number, "gender") < 0.01
    return decode(np.where(unknown, 2, people.female[person]).astype(np.int8), GENDERS)


def attendances(draws: Draws, number: Integers, inside: Booleans, paper: Booleans, days: Days) -> Codes:
    """How the defendant came: whoever is inside is brought, or is seen by video; a slip says otherwise of a few."""
    seen = draws.uniform(number, "by video") < np.where(days >= _VIDEO_FROM, 0.75, 0.25)
    slip = draws.uniform(number, "said to walk in") < _SAID_TO_WALK_IN
    away = draws.uniform(number, "absent") < np.where(paper, 0.45, 0.08)
    unknown = draws.uniform(number, "attendance unknown") < 0.05
    free = np.where(away, 3, np.where(seen & (days >= _VIDEO_FROM), 2, 0))
    there = np.where(slip, 0, np.where(seen, 2, 1))
    return np.where(unknown, 4, np.where(inside, there, free)).astype(np.int8)


def remand_statuses(draws: Draws, number: Integers, inside: Booleans, paper: Booleans, walked: Booleans) -> Codes:
    """In custody if inside, unless it was written that the defendant walked in."""
    unknown = draws.uniform(number, "remand unknown") < 0.03
    free = np.where(paper, 2, np.where(draws.uniform(number, "bailed") < 0.7, 1, 2))
    return np.where(unknown, 4, np.where(inside & ~walked, 0, free)).astype(np.int8)


def representation(draws: Draws, number: Integers, share: npt.NDArray[np.float64]) -> pa.Array:
    """With a lawyer or without."""
    drawn = draws.uniform(number, "lawyer")
    return decode(np.select([drawn < 0.05, drawn < 0.05 + 0.95 * share], [2, 0], 1).astype(np.int8), REPRESENTED)


def convicted(draws: Draws, cases: Cases) -> Booleans:
    """Found or pleaded guilty, in whichever court: by a sanction, of a petty offence, of most breaches."""
    breach = (cases.matter == Matter.BREACH) & (draws.uniform(cases.number, "breach proven") < 0.8)
    return np.asarray((cases.sanction >= 0) | cases.petty | breach, np.bool_)


def either(who: Booleans, yes: str | None, no: pa.Array) -> pa.Array:
    """`yes` for some rows."""
    return pc.if_else(pa.array(who), pa.scalar(yes, pa.string()), no)


def only_where(values: npt.NDArray[np.generic], held: Booleans) -> pa.Array:
    """Null where it is not held."""
    return pa.array(values, mask=~held)
