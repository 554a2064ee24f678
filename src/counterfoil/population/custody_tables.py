"""The prison's tables: custodial journeys, assessments made in them, incidents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.lab.progress import Progress
from counterfoil.population.assessments import Assessments
from counterfoil.population.calendar import MISSING, Days, to_arrow
from counterfoil.population.careers import Sanctions
from counterfoil.population.counters import Draws, text_numbers
from counterfoil.population.identities import NATIONALITIES
from counterfoil.population.labels import lsoas, offence_codes, prisons, record_ids, region_text
from counterfoil.population.offences import GROUPS, TIERS
from counterfoil.population.people import People, ethnicities
from counterfoil.population.sentencing import LONG, RELEASE_TYPES, YEAR
from counterfoil.population.settings import LAST_DAY
from counterfoil.population.sources import LEGAL_STATUSES, Sources
from counterfoil.population.strings import decode
from counterfoil.population.writing import Columns, Positions, write_in_parts

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]

GENDERS = ("M", "F")
IMPOSSIBLE_AGE = 0.003  # of ages are out of range
IMPOSSIBLE_AGES = (0, 1, 3, 116, 121)
_TWO_OFFENDER_IDS = 0.07  # of journeys are under another of the person's ids
_PRISON_ADDRESS = 0.01  # of small areas are the prison's own
_RELIGIONS = ("none", "christian", "muslim", "other", "not_known")
_RELIGION_WEIGHTS = (0.31, 0.44, 0.16, 0.05, 0.04)
_MARITAL = ("single", "married", "cohabiting", "separated", "widowed", "not_known")
_MARITAL_WEIGHTS = (0.66, 0.09, 0.10, 0.06, 0.01, 0.08)
_SENTENCE_TYPES = ("determinate", "indeterminate", "extended", "recall")
_SECURITY = ("A", "B", "C", "D", "closed", "open", "YOI", "unsentenced")
_GRAVE = ("violence", "robbery", "sexual")
_INDETERMINATE_FROM = 12 * YEAR
_HDC_DAYS = 135

INCIDENTS_A_YEAR = 0.45  # in custody, at an unseen factor of 0 and 30 years of age
INCIDENTS_BY_LATENT = 0.40  # log rate for each SD of the unseen factor
_INCIDENTS_BY_AGE = -0.03
_MOST_INCIDENTS = 8
_INCIDENTS = ("assault", "self_harm", "death", "finds", "other")
_ROLES = ("assailant", "fighter", "victim", "self_harmer")
_SAME_INCIDENT_DAYS = 30


@dataclass(frozen=True, slots=True)
class _Prison:
    """What every table of the prison is made from. `region` is of the sanction."""

    people: People
    sanctions: Sanctions
    sources: Sources
    region: Codes
    draws: Draws

    def person(self, spells: Integers) -> npt.NDArray[np.int32]:
        return self.sanctions.person[self.sources.spells.sanction[spells]]

    def bookings(self, spells: Integers) -> pa.Array:
        return self.draws.hashed(spells, "booking")

    def prisons(self, spells: Integers, what: str) -> pa.Array:
        """Where a journey began or ended: a prison of its region."""
        where = self.region[self.sources.spells.sanction[spells]]
        return prisons(where, self.draws.whole(spells, what, 0, 12), self.people.female[self.person(spells)])


def write_custody(
    out: Path,
    draws: Draws,
    people: People,
    sanctions: Sanctions,
    sources: Sources,
    assessments: Assessments,
    region: Codes,
    progress: Progress,
) -> dict[str, int]:
    """Write the three tables; how many rows each has."""
    prison = _Prison(people, sanctions, sources, region, draws)
    return {
        "prison_nomis": _write_journeys(out, prison, progress),
        "prison_oasys_in_custody": _write_assessed(out, prison, assessments, progress),
        "prison_safety_in_custody": _write_incidents(out, prison, progress),
    }


def impossible(draws: Draws, at: Integers, age: Integers) -> pa.Array:
    """Ages in years, a few of them out of range."""
    wrong = draws.uniform(at, "wrong age") < IMPOSSIBLE_AGE
    other = np.array(IMPOSSIBLE_AGES)[draws.whole(at, "which age", 0, len(IMPOSSIBLE_AGES))]
    return pa.array(np.where(wrong, other, age).astype(np.int64))


def genders(female: npt.NDArray[np.bool_]) -> pa.Array:
    """M or F."""
    return decode(female.astype(np.int8), GENDERS)


def whole_years(later: Days, born: Days) -> Integers:
    """Age in whole years, near enough."""
    return np.asarray(np.floor((later - born) / 365.25), np.int64)


def _write_journeys(out: Path, prison: _Prison, progress: Progress) -> int:
    spells, holdings = prison.sources.spells, prison.sources.prison.holdings
    order = np.lexsort((spells.reception, holdings.of_event))

    def columns(at: Positions) -> Columns:
        rows = order[at]
        return {**_who(prison, rows), **_served(prison, rows), **_where(prison, rows)}

    return write_in_parts(
        out / "prison_nomis.parquet", len(order), columns, progress=progress, label="Writing custodial journeys"
    )


def _who(prison: _Prison, rows: Integers) -> Columns:
    draws, source, spells = prison.draws, prison.sources.prison, prison.sources.spells
    record, person = source.holdings.of_event[rows], prison.person(rows)
    other_id = record * 2 + (draws.uniform(rows, "other id") < _TWO_OFFENDER_IDS)
    number = text_numbers(source.prison.take(pa.array(record)), 7)
    age = whole_years(spells.reception[rows], prison.people.born[person])
    return {
        "row_id_hash": draws.hashed(rows, "journey"),
        "record_id": record_ids("prison", record),
        "offender_id_hash": draws.hashed(other_id, "offender id"),
        "offender_id_display_hash": draws.hashed(number, "prison number"),
        "offender_book_id_hash": prison.bookings(rows),
        "custody_start_date": to_arrow(spells.reception[rows]),
        "custody_end_date": to_arrow(spells.release[rows]),
        "age_at_reception": impossible(draws, rows, age),
        "gender": genders(prison.people.female[person]),
        "ethnicity": decode(source.said.ethnicity[record], ethnicities()),
        "nationality": decode(source.said.nationality[record], NATIONALITIES),
        "religion": decode(draws.pick(person, "religion", _RELIGION_WEIGHTS), _RELIGIONS),
        "marital_status": decode(draws.pick(rows, "marital", _MARITAL_WEIGHTS), _MARITAL),
    }


def _served(prison: _Prison, rows: Integers) -> Columns:
    spells, sanctions = prison.sources.spells, prison.sanctions
    sanction, status = spells.sanction[rows], spells.status[rows]
    days, remand = sanctions.sentence_days[sanction], spells.status[rows] == 1
    proven = np.where(remand, MISSING, sanctions.proven[sanction]).astype(np.int32)
    half, all_of_it = _later(proven, days // 2), _later(proven, days)
    long = ~remand & (days >= LONG)
    return {
        "main_offence_code": offence_codes(sanctions.group[sanction], prison.draws.whole(sanction, "offence", 1, 20)),
        "main_offence_group": decode(sanctions.group[sanction], GROUPS),
        "tier": decode(sanctions.tier[sanction], TIERS),
        "legal_status": decode(status, LEGAL_STATUSES),
        "sentence_type": decode(_sentence_types(prison, sanction, status), _SENTENCE_TYPES),
        "sentence_length_days": pa.array(days.astype(np.int64), mask=remand),
        "sentence_date": to_arrow(proven),
        "conditional_release_date": to_arrow(np.where(long, MISSING, half).astype(np.int32)),
        "hdc_eligibility_date": to_arrow(np.where(long, MISSING, _later(half, -np.minimum(days // 4, _HDC_DAYS)))),
        "parole_eligibility_date": to_arrow(np.where(long, half, MISSING).astype(np.int32)),
        "licence_expiry_date": to_arrow(np.where(days >= YEAR, all_of_it, MISSING).astype(np.int32)),
        "sentence_expiry_date": to_arrow(all_of_it),
        "release_type": decode(spells.ending[rows], RELEASE_TYPES),
    }


def _later(from_day: Days, days: npt.NDArray[np.integer]) -> Days:
    return np.where(from_day == MISSING, MISSING, from_day + days).astype(np.int32)


def _sentence_types(prison: _Prison, sanction: Integers, status: Codes) -> Codes:
    sanctions = prison.sanctions
    grave = np.isin(sanctions.group[sanction], [GROUPS.index(group) for group in _GRAVE])
    drawn = prison.draws.uniform(sanction, "sentence type")
    kind = np.where(grave & (sanctions.sentence_days[sanction] >= LONG) & (drawn < 0.15), 2, 0)
    kind = np.where(grave & (sanctions.sentence_days[sanction] >= _INDETERMINATE_FROM), 1, kind)
    return np.select([status == 1, status == 2], [-1, 3], kind).astype(np.int8)


def _where(prison: _Prison, rows: Integers) -> Columns:
    draws, spells, people = prison.draws, prison.sources.spells, prison.people
    person, sanction = prison.person(rows), spells.sanction[rows]
    moved = draws.uniform(rows, "moved") < 0.5
    left = draws.uniform(rows, "stayed")
    inside = np.where(spells.release[rows] == MISSING, LAST_DAY, spells.release[rows]) - spells.reception[rows]
    age = whole_years(spells.reception[rows], people.born[person])
    last = prison.prisons(rows, "last prison")
    first = prison.prisons(rows, "first prison")
    gone = pa.array(spells.release[rows] == MISSING)
    at_prison = draws.uniform(rows, "prison address") < _PRISON_ADDRESS
    return {
        "reception_prison": first,
        "release_prison": _null_where(gone, _either(moved, last, first)),
        "prison_moves_count": pa.array(moved * (1 + (left * np.maximum(inside, 0) / 200.0).astype(np.int64))),
        "security_category": decode(_security(prison, rows, age), _SECURITY),
        "recall_count": pa.array((spells.status[rows] == 2).astype(np.int64)),
        "lsoa_before_custody": lsoas(
            people.region[person], np.where(at_prison, sanction % 120, people.places[person, 0])
        ),
        "young_offender_flag": pa.array((age < 21) & (draws.uniform(rows, "young") < 0.8)),
        "region": region_text(prison.region[sanction]),
    }


def _either(first: npt.NDArray[np.bool_], yes: pa.Array, no: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(first), yes, no)


def _null_where(who: pa.Array, text: pa.Array) -> pa.Array:
    return pc.if_else(who, pa.scalar(None, pa.string()), text)


def _security(prison: _Prison, rows: Integers, age: Integers) -> Codes:
    spells, sanctions = prison.sources.spells, prison.sanctions
    days = sanctions.sentence_days[spells.sanction[rows]]
    drawn = prison.draws.uniform(rows, "security")
    female = prison.people.female[prison.person(rows)]
    long = days >= LONG
    high, medium = (days >= 3 * LONG) & (drawn < 0.1), (days >= 3 * LONG) | (long & (drawn < 0.6))
    man = np.select([high, medium, ~long & (drawn < 0.12)], [0, 1, 3], 2)
    kind = np.where(female, 4 + (drawn < 0.15), np.where(age < 21, 6, man))
    return np.where(spells.status[rows] == 1, 7, kind).astype(np.int8)


def _write_assessed(out: Path, prison: _Prison, made: Assessments, progress: Progress) -> int:
    inside = np.flatnonzero(made.spell >= 0)

    def columns(at: Positions) -> Columns:
        rows = inside[at]
        full = made.draws.uniform(rows, "layer") < 0.7
        return {
            "assessment_row_id": made.draws.hashed(rows, "in custody"),
            "offender_book_id_hash": prison.bookings(made.spell[rows]),
            "assessment_date": to_arrow(made.day[rows]),
            "assessment_type": decode(full.astype(np.int8), ("LAYER1", "LAYER3")),
        }

    return write_in_parts(
        out / "prison_oasys_in_custody.parquet", len(inside), columns, progress=progress, label="Writing assessments"
    )


def _write_incidents(out: Path, prison: _Prison, progress: Progress) -> int:
    """Incidents; two assaults in one prison within some days are one incident with two prisoners in it."""
    spells, draws = prison.sources.spells, prison.draws
    end = np.where(spells.release == MISSING, LAST_DAY, spells.release)
    rows = np.arange(len(spells.sanction))
    spell, number = _drawn_incidents(prison, rows, np.maximum(end - spells.reception, 1))
    each = spell * _MOST_INCIDENTS + number
    day = spells.reception[spell] + (draws.uniform(each, "day") * np.maximum(end - spells.reception, 1)[spell]).astype(
        np.int64
    )
    kind = draws.pick(each, "kind", (0.28, 0.30, 0.001, 0.27, 0.15))
    kind = np.where((kind == 2) & (spells.ending[spell] != RELEASE_TYPES.index("died")), 4, kind)
    where = prison.region[spells.sanction[spell]] * 12 + draws.whole(spell, "first prison", 0, 12)
    order = np.lexsort((each, day, where, kind))
    second = _second_of_pair(spell[order], day[order], where[order], kind[order], spells.reception, end)
    shared = np.where(second, np.roll(each[order], 1), each[order])
    day_shown = np.where(second, np.roll(day[order], 1), day[order]).astype(np.int32)
    first = np.roll(second, -1)

    def columns(at: Positions) -> Columns:
        mine, what = each[order][at], kind[order][at]
        return {
            "incident_row_id": draws.hashed(mine, "incident row"),
            "incident_id_hash": draws.hashed(shared[at], "incident"),
            "offender_book_id_hash": prison.bookings(spell[order][at]),
            "incident_date": to_arrow(day_shown[at]),
            "incident_type": decode(what, _INCIDENTS),
            "role_in_incident": decode(_roles(draws, mine, what, first[at], second[at]), _ROLES),
            "incident_prison": prison.prisons(spell[order][at], "first prison"),
        }

    return write_in_parts(
        out / "prison_safety_in_custody.parquet", len(each), columns, progress=progress, label="Writing incidents"
    )


def _drawn_incidents(prison: _Prison, rows: Integers, days: Integers) -> tuple[Integers, Integers]:
    person = prison.person(rows)
    age = (prison.sources.spells.reception - prison.people.born[person]) / 365.25
    rate = INCIDENTS_A_YEAR * np.exp(
        INCIDENTS_BY_LATENT * prison.people.latent[person] + _INCIDENTS_BY_AGE * (age - 30.0)
    )
    mean = np.minimum(rate * days / 365.25, _MOST_INCIDENTS)
    count = _poisson(prison.draws.uniform(rows, "incidents"), mean, _MOST_INCIDENTS)
    spell = np.repeat(rows, count)
    return spell, np.arange(len(spell)) - np.repeat(np.cumsum(count) - count, count)


def _poisson(drawn: npt.NDArray[np.float64], mean: npt.NDArray[np.float64], most: int) -> Integers:
    """Poisson counts by inversion, at most `most`."""
    count = np.zeros(len(drawn), np.int64)
    term = np.exp(-mean)
    total = term.copy()
    for number in range(1, most + 1):
        count += drawn >= total
        term = term * mean / number
        total = total + term
    return count


def _second_of_pair(
    spell: Integers,
    day: npt.NDArray[np.integer],
    where: Integers,
    kind: Integers,
    start: Days,
    end: npt.NDArray[np.integer],
) -> npt.NDArray[np.bool_]:
    """Rows that are the second prisoner of the assault before them: no two follow each other."""
    if not len(spell):
        return np.zeros(0, np.bool_)
    before = np.roll(day, 1)
    same = (kind == 0) & (np.roll(kind, 1) == 0) & (where == np.roll(where, 1)) & (spell != np.roll(spell, 1))
    same &= (day - before <= _SAME_INCIDENT_DAYS) & (before >= start[spell]) & (before <= end[spell])
    same[0] = False
    runs = np.arange(len(same)) - np.maximum.accumulate(np.where(same, -1, np.arange(len(same))))
    return np.asarray(same & (runs % 2 == 1), np.bool_)


def _roles(
    draws: Draws, each: Integers, kind: Integers, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]
) -> Codes:
    fights = draws.uniform(each, "fights") < 0.2
    alone = np.where(fights, 1, 2 * (draws.uniform(each, "victim") < 0.5))
    assault = np.select([first, second], [0, 2], alone)
    return np.select([kind == 0, kind == 1], [assault, 3], -1).astype(np.int8)


def relations() -> dict[str, object]:
    """How incidents hang together with what is unseen, for the truth."""
    return {"incidents a year in custody": INCIDENTS_A_YEAR, "log rate by unseen factor": INCIDENTS_BY_LATENT}
