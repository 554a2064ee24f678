"""Offender assessments: who is assessed, when, and what is found. Each need is partly the person's unseen factor.

Before June 2021 private companies supervised people of lower risk in the community and used tools of their own, so that
those of some regions have few assessments.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.population.calendar import MISSING, Days, day
from counterfoil.population.careers import Sanctions
from counterfoil.population.counters import Draws, stream
from counterfoil.population.draws import Floats
from counterfoil.population.holdings import hold
from counterfoil.population.identities import NO_COPY, Habits, record
from counterfoil.population.people import People
from counterfoil.population.sentencing import YEAR
from counterfoil.population.settings import LAST_DAY
from counterfoil.population.sources import Orders, Source, Sources, Spells, only, quote_pnc, stacked
from counterfoil.population.strings import StringPool
from counterfoil.population.tables import regions

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]

FIRST_ASSESSMENT = day(dt.date(2007, 1, 1))
PRIVATE_FROM, PRIVATE_UNTIL = day(dt.date(2014, 6, 1)), day(dt.date(2021, 6, 26))
PRIVATE_REGIONS = frozenset({"london", "south_east", "east"})  # where the company used another tool
SETTINGS = ("prison", "probation")
PURPOSES = ("start", "review", "termination", "court_report")

_ASSESSED_INSIDE = (0.20, 0.85)  # of sentences under a year, and of others
_ASSESSED_OUTSIDE = (0.45, 0.60, 0.55)  # of community orders, suspended sentence orders, licences
_STILL_ASSESSED = 0.12  # of those are, where a private company had another tool
_MOST_REVIEWS = 3
_REVIEW_DAYS = (200, 420)
_SECOND_RECORD = 0.05
_NO_PNC, _HAS_PRISON_NUMBER, _HAS_CRN = 0.22, 0.75, 0.80

OASYS = Habits(
    slip=0.016, date_slip=0.010, familiar=0.02, swapped=0.003, no_second_forename=0.45, half_a_double_name=0.15,
    mark_lost=0.30, no_diacritics=0.6, upper_case=False, no_birth_date=0.004, stand_in_birth_date=0.002,
    no_postcode=0.45, wrong_sex=0.002, copies=0.8,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Section:
    """One scored section: its score is 0 to `most`, a need at `threshold`. `latent` is the correlation of the person's
    need with the unseen factor; `shift` moves how common the need is."""

    name: str
    threshold: int
    most: int
    latent: float
    shift: float


SECTIONS = (
    Section("acc", 2, 8, 0.35, -0.9),
    Section("ete", 3, 8, 0.40, -0.3),
    Section("rel", 2, 6, 0.20, -0.4),
    Section("lifestyle", 2, 6, 0.45, -0.3),
    Section("drug", 2, 10, 0.45, -1.1),
    Section("alcohol", 4, 8, 0.20, -0.8),
    Section("think", 4, 10, 0.40, 0.0),
    Section("att", 2, 8, 0.40, -0.7),
)
UNSCORED = (Section("finance", 1, 1, 0.25, -0.3), Section("emo", 1, 1, 0.20, -0.2))
_CHANGE = 0.25  # SD of a need from one assessment to the next
_BETTER = 0.10  # less of a need at each later assessment, in SD


@dataclass(frozen=True, slots=True)
class Assessments:
    """One entry an assessment. `sanction` and `spell` are positions, `spell` -1 outside prison."""

    source: Source
    person: npt.NDArray[np.int32]
    day: Days
    setting: Codes
    purpose: Codes
    number: Integers  # 0 for the first of its sentence
    sanction: Integers
    spell: Integers
    draws: Draws

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True, slots=True)
class _Episodes:
    """Sentences in which someone may be assessed."""

    sanction: Integers
    spell: Integers
    start: Days
    end: Days
    chance: Floats


def assess(
    rng: np.random.Generator, pool: StringPool, people: People, sanctions: Sanctions, sources: Sources
) -> Assessments:
    """Every assessment, and the person records of the assessment system."""
    draws = stream(rng)
    episodes = _episodes(people, sanctions, sources)
    rows = np.arange(len(episodes.sanction))
    taken = np.flatnonzero(draws.uniform(rows, "assessed") < episodes.chance)
    length = np.maximum(episodes.end[taken] - episodes.start[taken], 0)
    gap = draws.whole(taken, "gap", *_REVIEW_DAYS)
    count = 1 + np.minimum(length // gap, _MOST_REVIEWS)
    of = np.repeat(np.arange(len(taken)), count)
    number = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    day_ = episodes.start[taken][of] + draws.whole(taken, "first", 5, 60)[of] + number * gap[of]
    sanction, spell = episodes.sanction[taken][of], episodes.spell[taken][of]
    person = sanctions.person[sanction]
    kept = np.flatnonzero((day_ <= np.minimum(LAST_DAY, people.dies[person] - 1)) & (day_ >= FIRST_ASSESSMENT))
    last = number == count[of] - 1
    purpose = np.where(number == 0, 0, np.where(last & (draws.uniform(of, "ends") < 0.3), 2, 1))
    days = day_[kept].astype(np.int32)
    return Assessments(
        source=_records(rng, pool, people, person[kept], days, sources),
        person=person[kept],
        day=days,
        setting=np.where(spell[kept] >= 0, 0, 1).astype(np.int8),
        purpose=purpose[kept].astype(np.int8),
        number=number[kept],
        sanction=sanction[kept],
        spell=spell[kept],
        draws=draws,
    )


def _episodes(people: People, sanctions: Sanctions, sources: Sources) -> _Episodes:
    inside, outside = _inside(sanctions, sources.spells), _outside(people, sanctions, sources.orders)
    return _Episodes(*(np.concatenate([getattr(inside, n), getattr(outside, n)]) for n in _Episodes.__slots__))


def _inside(sanctions: Sanctions, spells: Spells) -> _Episodes:
    served = np.flatnonzero(spells.status == 0)
    sanction = spells.sanction[served].astype(np.int64)
    chance = np.where(sanctions.sentence_days[sanction] >= YEAR, _ASSESSED_INSIDE[1], _ASSESSED_INSIDE[0])
    end = spells.release[served]
    return _Episodes(sanction, served, spells.reception[served], np.where(end == MISSING, LAST_DAY, end), chance)


def _outside(people: People, sanctions: Sanctions, orders: Orders) -> _Episodes:
    sanction = orders.sanction.astype(np.int64)
    start = np.where(orders.kind == 2, sanctions.release[sanction], orders.sentenced)
    chance = np.array(_ASSESSED_OUTSIDE)[orders.kind]
    lower_risk = (orders.kind < 2) | (sanctions.sentence_days[sanction] < YEAR)
    company = np.array([region.code in PRIVATE_REGIONS for region in regions()])[
        people.region[sanctions.person[sanction]]
    ]
    other_tool = lower_risk & company & (start >= PRIVATE_FROM) & (start < PRIVATE_UNTIL)
    chance = np.where(other_tool, chance * _STILL_ASSESSED, chance)
    end = np.where(orders.ended == MISSING, LAST_DAY, orders.ended)
    return _Episodes(sanction, np.full(len(sanction), -1, np.int64), start, end, chance)


def _records(
    rng: np.random.Generator,
    pool: StringPool,
    people: People,
    person: npt.NDArray[np.int32],
    days: Days,
    sources: Sources,
) -> Source:
    """Records copy the prison's, else probation's, and quote the numbers of both."""
    holdings = hold(rng, person, days, second_record=_SECOND_RECORD)
    inside = sources.prison.holdings.first_record_of(len(people))[holdings.person]
    outside = sources.probation.holdings.first_record_of(len(people))[holdings.person]
    shift = len(sources.prison.said)
    said = record(
        rng,
        pool,
        people,
        person=holdings.person,
        first_day=holdings.first_day,
        habits=OASYS,
        earlier=stacked(sources.prison.said, sources.probation.said),
        copy_of=np.where(inside >= 0, inside, np.where(outside >= 0, outside + shift, NO_COPY)),
    )
    quoted = quote_pnc(rng, people, holdings, sources.numbers, _NO_PNC)
    return Source(
        name="oasys",
        holdings=holdings,
        said=said,
        pnc=quoted,
        cro=pa.nulls(len(holdings), pa.string()),
        prison=_quoted(rng, sources.prison.prison, inside, _HAS_PRISON_NUMBER),
        crn=_quoted(rng, sources.probation.crn, outside, _HAS_CRN),
    )


def _quoted(rng: np.random.Generator, numbers: pa.Array, of: Integers, held: float) -> pa.Array:
    known = (of >= 0) & (rng.random(len(of)) < held)
    if not len(numbers):
        return pa.nulls(len(of), pa.string())
    return only(numbers.take(pa.array(np.maximum(of, 0))), known)


def need(draws: Draws, section: Section, people: People, person: npt.NDArray[np.integer]) -> Floats:
    """The person's own need in a section: unit normal, `section.latent` its correlation with the unseen factor."""
    own = draws.normal(person, f"need {section.name}")
    return np.asarray(section.latent * people.latent[person] + np.sqrt(1 - section.latent**2) * own, np.float64)


def found_need(made: Assessments, section: Section, people: People, at: Integers) -> Floats:
    """The need as it stands at the assessments at some positions."""
    change = _CHANGE * made.draws.normal(at, f"change {section.name}") - _BETTER * made.number[at]
    return np.asarray(need(made.draws, section, people, made.person[at]) + change, np.float64)


def score_of(section: Section, found: Floats) -> Integers:
    """A need as a score from 0 to `section.most`."""
    return np.asarray(np.floor((section.most + 0.999) / (1 + np.exp(-1.5 * (found + section.shift)))), np.int64)


def relations() -> dict[str, object]:
    """How assessments hang together with what is unseen, for the truth."""
    return {
        "need": "latent * unseen factor + sqrt(1 - latent^2) * own unit normal; "
        f"at an assessment + N(0, {_CHANGE}) - {_BETTER} a later assessment of the sentence",
        "score": "floor((most + 0.999) / (1 + exp(-1.5 (need + shift))))",
        "sections": {
            s.name: {"latent": s.latent, "shift": s.shift, "threshold": s.threshold, "most": s.most}
            for s in (*SECTIONS, *UNSCORED)
        },
        "assessed": {
            "inside under a year": _ASSESSED_INSIDE[0],
            "inside a year and more": _ASSESSED_INSIDE[1],
            "community order": _ASSESSED_OUTSIDE[0],
            "suspended sentence order": _ASSESSED_OUTSIDE[1],
            "licence": _ASSESSED_OUTSIDE[2],
            "times, where a private company had another tool": _STILL_ASSESSED,
        },
    }
