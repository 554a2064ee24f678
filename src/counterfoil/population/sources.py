"""What the police, prison and probation systems would hold of the population, as tables in the sources' own schemas."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.population import numbers
from counterfoil.population.calendar import MISSING, Days, day, year_of
from counterfoil.population.careers import Careers, Sanctions
from counterfoil.population.holdings import Holdings, hold
from counterfoil.population.identities import (
    NO_COPY,
    PNC,
    PRISON,
    PROBATION,
    Habits,
    Identities,
    nobody,
    record,
)
from counterfoil.population.people import People
from counterfoil.population.sentencing import ORDERS, YEAR, Disposal, Ending
from counterfoil.population.settings import LAST_DAY
from counterfoil.population.strings import StringPool

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]

LEGAL_STATUSES = ("sentenced", "remand", "recall")
PROOFS = ("conviction", "caution", "reprimand", "warning")

_SECOND_RECORD = {"pnc": 0.11, "prison": 0.14, "probation": 0.13}  # of people with several events in the source
_SAME_NUMBER = {"pnc": 0.5, "prison": 0.35, "probation": 0.25}  # of second records keep the first one's number
_HAS_CRO = 0.78
_NO_PNC = {"prison": 0.25, "probation": 0.30}
_NO_PRISON_NUMBER = 0.35  # of probation records of people who have been inside
_SHORT_PNC = 0.25  # of PNC numbers outside the PNC are in the short form
_WRONG_DIGIT = 0.004
_SOMEONE_ELSES = 0.0015
LICENCE_FOR_ALL = day(dt.date(2015, 2, 1))  # from then those with less than a year are on licence too
CAUTIONS_ONLY_FROM = day(dt.date(2013, 4, 8))  # before it a child had a reprimand or warning
_ENDED_EARLY = 0.18  # of orders


@dataclass(frozen=True, slots=True)
class Numbers:
    """Each person's own numbers, as text, and those that second records carry."""

    pnc: pa.Array
    pnc_short: pa.Array
    cro: pa.Array  # null for some
    prison: pa.Array
    crn: pa.Array


@dataclass(frozen=True, slots=True)
class Source:
    """One source: who has a record, and what each record says. Numbers are text columns, null where not held."""

    name: str
    holdings: Holdings
    said: Identities
    pnc: pa.Array
    cro: pa.Array
    prison: pa.Array
    crn: pa.Array


@dataclass(frozen=True, slots=True)
class Spells:
    """Stays in custody; `sanction` is a position."""

    sanction: Integers
    reception: Days
    release: Days
    status: Codes
    ending: Codes


@dataclass(frozen=True, slots=True)
class Orders:
    """Sentences served in the community; `sanction` is a position."""

    sanction: Integers
    kind: Codes
    sentenced: Days
    length: npt.NDArray[np.int32]
    ended: Days


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that the three systems hold."""

    pnc: Source
    prison: Source
    probation: Source
    spells: Spells
    orders: Orders
    numbers: Numbers


def hold_sources(rng: np.random.Generator, pool: StringPool, people: People, careers: Careers) -> Sources:
    """Records in each source for the events of the careers, errors and all."""
    sanctions = careers.sanctions
    spells, orders = _spells(sanctions, people), _orders(rng, sanctions)
    given = _own_numbers(rng, people)
    pnc = _police(rng, pool, people, sanctions, given)
    prison = _prison(rng, pool, people, sanctions, spells, pnc, given)
    probation = _probation(rng, pool, people, sanctions, orders, pnc, prison, given)
    return Sources(pnc, prison, probation, spells, orders, given)


# Events


def _spells(sanctions: Sanctions, people: People) -> Spells:
    """Stays until the end of the sources: sentenced or on remand, and back on recall."""
    inside = np.flatnonzero(sanctions.reception != MISSING)
    back = np.flatnonzero(
        (sanctions.recall != MISSING)
        & (sanctions.recall <= LAST_DAY)
        & (sanctions.recall < people.dies[sanctions.person])
    )
    sanction = np.concatenate([inside, back])
    release = np.concatenate([sanctions.release[inside], sanctions.recall[back] + sanctions.recall_days[back]])
    status = np.concatenate([np.where(sanctions.remand_only[inside], 1, 0), np.full(len(back), 2)])
    ending = np.concatenate([sanctions.ending[inside], np.full(len(back), Ending.AUTOMATIC)])
    still = release > LAST_DAY
    return Spells(
        sanction=sanction,
        reception=np.concatenate([sanctions.reception[inside], sanctions.recall[back]]).astype(np.int32),
        release=np.where(still, MISSING, release).astype(np.int32),
        status=status.astype(np.int8),
        ending=np.where(still, -1, ending).astype(np.int8),
    )


def _orders(rng: np.random.Generator, sanctions: Sanctions) -> Orders:
    """Community and suspended sentence orders, and licences after custody."""
    court = np.flatnonzero(np.isin(sanctions.disposal, ORDERS))
    custody = (sanctions.disposal == Disposal.CUSTODY) & (sanctions.ending <= Ending.PAROLE)
    covered = (sanctions.sentence_days >= YEAR) | (sanctions.release >= LICENCE_FOR_ALL)
    licensed = np.flatnonzero(custody & covered & (sanctions.release <= LAST_DAY))
    kind = np.where(sanctions.disposal[court] == Disposal.COMMUNITY, 0, 1)
    length = np.concatenate(
        [sanctions.sentence_days[court], np.maximum(sanctions.sentence_days[licensed] // 2, YEAR)]
    ).astype(np.int32)
    sanction = np.concatenate([court, licensed])
    begins = np.concatenate([sanctions.proven[court], sanctions.release[licensed]])
    served = np.where(rng.random(len(sanction)) < _ENDED_EARLY, length * rng.random(len(sanction)), length)
    ended = begins + served.astype(np.int32)
    return Orders(
        sanction=sanction,
        kind=np.concatenate([kind, np.full(len(licensed), 2)]).astype(np.int8),
        sentenced=sanctions.proven[sanction],
        length=length,
        ended=np.where(ended > LAST_DAY, MISSING, ended).astype(np.int32),
    )


# Records


def _own_numbers(rng: np.random.Generator, people: People) -> Numbers:
    """Two numbers of each kind a person: the second half of each column is for second records."""
    year = np.maximum(year_of(people.onset), 2000)
    both = np.concatenate([year, np.minimum(year + rng.integers(1, 6, len(year)), 2021)])
    serial = numbers.serials(rng, both, 7)
    cro = numbers.cro_numbers(both, numbers.serials(rng, both, 6))
    has_cro = np.tile(rng.random(len(year)) < _HAS_CRO, 2)
    size = 2 * len(people)
    return Numbers(
        pnc=numbers.pnc_ids(both, serial),
        pnc_short=numbers.short_pnc_ids(both, serial),
        cro=only(cro, has_cro),
        prison=numbers.prison_numbers(rng, size),
        crn=numbers.crns(rng, size),
    )


def _police(rng: np.random.Generator, pool: StringPool, people: People, sanctions: Sanctions, given: Numbers) -> Source:
    holdings = hold(rng, sanctions.person, sanctions.proven, second_record=_SECOND_RECORD["pnc"])
    said = _say(rng, pool, people, holdings, PNC, nobody(), np.full(len(holdings), NO_COPY))
    own = _number_of(rng, holdings, len(people), _SAME_NUMBER["pnc"])
    nothing = pa.nulls(len(holdings), pa.string())
    return Source("pnc", holdings, said, given.pnc.take(pa.array(own)), given.cro.take(pa.array(own)), nothing, nothing)


def _prison(
    rng: np.random.Generator,
    pool: StringPool,
    people: People,
    sanctions: Sanctions,
    spells: Spells,
    pnc: Source,
    given: Numbers,
) -> Source:
    person = sanctions.person[spells.sanction]
    holdings = hold(rng, person, spells.reception, second_record=_SECOND_RECORD["prison"])
    copy_of = pnc.holdings.first_record_of(len(people))[holdings.person]
    said = _say(rng, pool, people, holdings, PRISON, pnc.said, copy_of)
    own = _number_of(rng, holdings, len(people), _SAME_NUMBER["prison"])
    quoted = quote_pnc(rng, people, holdings, given, _NO_PNC["prison"])
    nothing = pa.nulls(len(holdings), pa.string())
    return Source("prison", holdings, said, quoted, nothing, given.prison.take(pa.array(own)), nothing)


def _probation(
    rng: np.random.Generator,
    pool: StringPool,
    people: People,
    sanctions: Sanctions,
    orders: Orders,
    pnc: Source,
    prison: Source,
    given: Numbers,
) -> Source:
    """A probation record copies the prison's where there is one, errors included, else the police's."""
    person = sanctions.person[orders.sanction]
    holdings = hold(rng, person, orders.sentenced, second_record=_SECOND_RECORD["probation"])
    inside = prison.holdings.first_record_of(len(people))[holdings.person]
    police = pnc.holdings.first_record_of(len(people))[holdings.person]
    earlier = stacked(prison.said, pnc.said)
    copy_of = np.where(inside >= 0, inside, np.where(police >= 0, police + len(prison.said), NO_COPY))
    said = _say(rng, pool, people, holdings, PROBATION, earlier, copy_of)
    own = _number_of(rng, holdings, len(people), _SAME_NUMBER["probation"])
    quoted = quote_pnc(rng, people, holdings, given, _NO_PNC["probation"])
    known = (inside >= 0) & (rng.random(len(holdings)) >= _NO_PRISON_NUMBER)
    quoted_prison = only(prison.prison.take(pa.array(np.maximum(inside, 0))), known) if len(prison.said) else None
    nothing = pa.nulls(len(holdings), pa.string())
    return Source(
        "probation",
        holdings,
        said,
        quoted,
        nothing,
        quoted_prison if quoted_prison is not None else nothing,
        given.crn.take(pa.array(own)),
    )


def _say(
    rng: np.random.Generator,
    pool: StringPool,
    people: People,
    holdings: Holdings,
    habits: Habits,
    earlier: Identities,
    copy_of: Integers,
) -> Identities:
    return record(
        rng,
        pool,
        people,
        person=holdings.person,
        first_day=holdings.first_day,
        habits=habits,
        earlier=earlier,
        copy_of=copy_of,
    )


def stacked(first: Identities, second: Identities) -> Identities:
    """One after the other."""
    names = Identities.__slots__
    return Identities(*(np.concatenate([getattr(first, n), getattr(second, n)]) for n in names))


def _number_of(rng: np.random.Generator, holdings: Holdings, people: int, same: float) -> Integers:
    """Position of each record's own number: the person's, or for most second records another."""
    other = ~holdings.first & (rng.random(len(holdings)) >= same)
    return np.where(other, holdings.person + people, holdings.person).astype(np.int64)


def quote_pnc(rng: np.random.Generator, people: People, holdings: Holdings, given: Numbers, missing: float) -> pa.Array:
    """PNC numbers as another system holds them: many absent, some short, a few wrong, a few of someone else."""
    size, mess = len(holdings), people.messiness[holdings.person]
    whose = np.where(rng.random(size) < _SOMEONE_ELSES, rng.integers(0, len(people), size), holdings.person).astype(
        np.int64
    )
    short = pa.array(rng.random(size) < _SHORT_PNC)
    text = pc.if_else(short, given.pnc_short.take(pa.array(whose)), given.pnc.take(pa.array(whose)))
    wrong = pa.array(rng.random(size) < _WRONG_DIGIT * mess)
    text = pc.if_else(wrong, numbers.one_digit_wrong(rng, text), text)
    held = rng.random(size) >= np.clip(missing * (0.7 + 0.3 * mess), 0.0, 0.9)
    return only(text, held)


def only(text: pa.Array, held: Booleans) -> pa.Array:
    """Null where it is not held."""
    return pc.if_else(pa.array(held), text, pa.scalar(None, pa.string()))
