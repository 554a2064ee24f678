"""What a provider knows of each person it worked with, before anything is put into a spreadsheet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.population import numbers
from counterfoil.population.calendar import MISSING, date, year_of
from counterfoil.population.identities import PROVIDER, SEXES, Identities, nobody, record
from counterfoil.population.people import People, draw_people
from counterfoil.population.places import postcodes
from counterfoil.population.programmes import NOT_A_PERSON, Members
from counterfoil.population.sources import Sources
from counterfoil.population.strings import StringPool

Integers = npt.NDArray[np.int64]

NUMBERED = 0.50  # of rows carry a PNC or prison number that is right; the rule of the field is at most 55%
_SITES = ("Moor Lane", "Castle Street", "HMP Fernhill", "Station Road", "HMP Oakmoor", "The Old Library")
_COMPLETED = 0.68
_LENGTH_DAYS = (40, 180)
_GIVES_INDEX_DATE = 0.8
_KNOWS_END = 0.9


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One person of the list, as a careful clerk would hold it. `member` is the position in Members."""

    member: int
    surname: str
    forename: str
    other_names: str
    born: dt.date | None
    sex: str
    pnc: str
    prison: str
    postcode: str
    index_date: dt.date | None
    start: dt.date
    end: dt.date | None
    site: str
    completed: str


def provider_rows(
    rng: np.random.Generator, pool: StringPool, people: People, sources: Sources, members: Members
) -> list[ProviderRow]:
    """One row a member, those in no source among them, in an order that tells nothing."""
    known = np.flatnonzero(members.person >= 0)
    strange = np.flatnonzero(members.person == NOT_A_PERSON)
    invented = draw_people(rng, pool, max(len(strange), 1))
    said_known = _say_known(rng, pool, people, sources, members, known)
    said_strange = record(
        rng,
        pool,
        invented,
        person=np.arange(len(strange), dtype=np.int32),
        first_day=members.start[strange],
        habits=PROVIDER,
        earlier=nobody(),
        copy_of=np.full(len(strange), -1),
    )
    given = sources.numbers
    own = members.person[known]
    inside = np.isin(own, sources.prison.holdings.person)
    pnc = [*given.pnc.take(pa.array(own.astype(np.int64))).to_pylist(), *_strange_pncs(rng, members, strange)]
    prison = [
        n if i else ""
        for n, i in zip(given.prison.take(pa.array(own.astype(np.int64))).to_pylist(), inside, strict=True)
    ]
    prison += [""] * len(strange)
    said = _stack(said_known, said_strange)
    order = rng.permutation(len(known) + len(strange))
    member = np.concatenate([known, strange])
    return _rows(rng, pool, said, members, member, pnc, prison, order)


def _say_known(
    rng: np.random.Generator, pool: StringPool, people: People, sources: Sources, members: Members, known: Integers
) -> Identities:
    """A provider copies the prison's or probation's paper now and then, errors and all."""
    person = members.person[known]
    inside = sources.prison.holdings.first_record_of(len(people))[person]
    outside = sources.probation.holdings.first_record_of(len(people))[person]
    earlier = _stack(sources.prison.said, sources.probation.said)
    copy_of = np.where(inside >= 0, inside, np.where(outside >= 0, outside + len(sources.prison.said), -1))
    return record(
        rng,
        pool,
        people,
        person=person,
        first_day=members.start[known],
        habits=PROVIDER,
        earlier=earlier,
        copy_of=copy_of,
    )


def _stack(first: Identities, second: Identities) -> Identities:
    return Identities(*(np.concatenate([getattr(first, name), getattr(second, name)]) for name in Identities.__slots__))


def _strange_pncs(rng: np.random.Generator, members: Members, strange: Integers) -> list[str]:
    """Valid PNC numbers of people that no source knows."""
    year = np.maximum(year_of(members.start[strange]) - rng.integers(1, 12, len(strange)), 2000)
    found: list[str] = numbers.pnc_ids(year, numbers.serials(rng, year, 7)).to_pylist()
    return found


def _rows(
    rng: np.random.Generator,
    pool: StringPool,
    said: Identities,
    members: Members,
    member: Integers,
    pnc: Sequence[str],
    prison: Sequence[str],
    order: Integers,
) -> list[ProviderRow]:
    places = postcodes(said.place).to_pylist()
    numbered = np.zeros(len(order), np.bool_)
    numbered[rng.permutation(len(order))[: int(NUMBERED * len(order))]] = True
    which = rng.random(len(order))
    length = rng.integers(*_LENGTH_DAYS, len(order))
    lot = rng.random((len(order), 4))
    rows = []
    for i in order:
        quoted_pnc, quoted_prison = _quoted(pnc[i], prison[i], numbered[i], which[i])
        of = member[i]
        start = date(members.start[of])
        rows.append(
            ProviderRow(
                member=int(of),
                surname=pool.text(said.surname[i]),
                forename=pool.text(said.forename1[i]),
                other_names=pool.text(said.aliases[i]),
                born=date(said.born[i]) if said.born[i] != MISSING else None,
                sex={"1": "M", "2": "F"}.get(SEXES[said.sex[i]], ""),
                pnc=quoted_pnc,
                prison=quoted_prison,
                postcode=places[i] or "",
                index_date=date(members.index_date[of]) if lot[i, 0] < _GIVES_INDEX_DATE else None,
                start=start,
                end=start + dt.timedelta(days=int(length[i])) if lot[i, 1] < _KNOWS_END else None,
                site=_SITES[int(lot[i, 2] * len(_SITES))],
                completed="Yes" if lot[i, 3] < _COMPLETED else "No",
            )
        )
    return rows


def _quoted(pnc: str, prison: str, numbered: bool, which: float) -> tuple[str, str]:
    """One number, the other, or both."""
    if not numbered:
        return "", ""
    if which < 0.30 and prison:
        return "", prison
    return pnc, prison if which < 0.55 else ""
