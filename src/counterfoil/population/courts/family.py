"""Family courts: couples and their children, the cases between them, and the role of each in a case.

Some parents are of the population; the other parent, the children and many whole families never had a record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from counterfoil.population.calendar import MISSING, Days
from counterfoil.population.counters import Draws, stream
from counterfoil.population.courts.couples import KINDS, YEAR, Couples, Kind, make_couples
from counterfoil.population.courts.parties import (
    NOBODY,
    Everyone,
    Persons,
    as_source,
    hold_each,
    missing_where,
    number_within,
)
from counterfoil.population.draws import Floats, pick
from counterfoil.population.holdings import Holdings
from counterfoil.population.identities import NO_COPY, Habits, Identities, nobody, record
from counterfoil.population.people import People, draw_others, joined
from counterfoil.population.places import NOWHERE
from counterfoil.population.settings import LAST_DAY
from counterfoil.population.sources import Source
from counterfoil.population.strings import StringPool

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]


FAMILY = Habits(
    slip=0.015, date_slip=0.010, familiar=0.02, swapped=0.002, no_second_forename=0.20, half_a_double_name=0.12,
    mark_lost=0.25, no_diacritics=0.7, upper_case=False, no_birth_date=0.03, stand_in_birth_date=0.006,
    no_postcode=0.10, wrong_sex=0.003, copies=0.0,
)  # fmt: skip


class Role(IntEnum):
    """Part in a case. Position in ROLES."""

    APPLICANT = 0
    RESPONDENT = 1
    CHILD = 2
    GUARDIAN = 3


ROLES = ("applicant", "respondent", "child", "guardian")

_NEXT_KIND = np.array(
    [
        [0.55, 0.35, 0.05, 0.00, 0.03, 0.02],
        [0.08, 0.78, 0.00, 0.00, 0.10, 0.04],
        [0.00, 0.50, 0.00, 0.00, 0.00, 0.50],
        [0.02, 0.60, 0.00, 0.00, 0.08, 0.30],
        [0.08, 0.52, 0.00, 0.10, 0.28, 0.02],
        [0.02, 0.40, 0.03, 0.10, 0.10, 0.35],
    ]
)
_COMES_BACK = 0.32  # of families after each case
_MOST_CASES = 5
_CHILDREN = (0.42, 0.35, 0.15, 0.06, 0.02)  # of families with one, two ... where a case is about children
_TWINS = 0.02
_WITH_CHILDREN = (Kind.PUBLIC, Kind.PRIVATE, Kind.ADOPTION)
_FATHERS_NAME = 0.6
_ABSENT_FATHER = 0.3  # of public law cases have no father
REUSED = 0.25  # of later appearances are put on the record of an earlier one
NO_BIRTH_DATE_IN_DIVORCE = 0.55
WITHHELD = 0.5  # of applicants for protection keep their address to themselves
DELETED = 0.015  # of roles are there again, marked as deleted
_WEEKS = np.array([29.0, 32.0, 14.0, 45.0, 8.0, 20.0])  # median to the final order


@dataclass(frozen=True, slots=True)
class FamilyCases:
    """One entry a case. `family` counts couples; `married` is MISSING but for divorce; `close` while open."""

    family: Integers
    number: Integers  # within the family
    kind: Codes
    start: Days
    close: Days
    married: Days
    region: Codes

    def __len__(self) -> int:
        return len(self.family)


@dataclass(frozen=True, slots=True)
class Roles:
    """One entry a role, ordered by case; `person` is NOBODY for a local authority or the guardians' service."""

    case: Integers
    person: Persons
    role: Codes
    mother: Booleans  # else the father, where the role is a parent's


@dataclass(frozen=True, slots=True)
class FamilyCourts:
    """Everything of the family courts. Records of people come first in the table, then those of organisations."""

    everyone: Everyone
    source: Source  # under true numbers
    cases: FamilyCases
    roles: Roles
    record_of: Integers  # of each role
    draws: Draws


def family_courts(rng: np.random.Generator, pool: StringPool, people: People) -> FamilyCourts:
    """Cases of the family courts, and outsiders in them."""
    adults, couples = make_couples(rng, pool, people)
    cases = _cases(rng, adults, couples)
    children, first_child, count = _children(rng, pool, adults, couples, cases)
    everyone = Everyone(joined(adults, children), len(people))
    roles = _roles(rng, everyone.people, couples, cases, first_child + len(adults), count)
    source, record_of = _records(rng, pool, everyone, cases, roles)
    return FamilyCourts(everyone, source, cases, roles, record_of, stream(rng))


def _cases(rng: np.random.Generator, adults: People, couples: Couples) -> FamilyCases:
    """The first case of each couple and those after it, until a parent dies or the sources end."""
    size = len(couples.first)
    family, kind, start = [np.arange(size)], [couples.kind.astype(np.int64)], [couples.first.astype(np.int64)]
    for _ in range(_MOST_CASES - 1):
        again = np.flatnonzero(rng.random(len(family[-1])) < _COMES_BACK)
        drawn = rng.random(len(again))
        edges = np.cumsum(_NEXT_KIND, axis=1)[kind[-1][again]]
        kind.append((drawn[:, None] >= edges).sum(axis=1).clip(0, len(KINDS) - 1))
        start.append(start[-1][again] + rng.integers(40, 1100, len(again)))
        family.append(family[-1][again])
    of, what, date = np.concatenate(family), np.concatenate(kind), np.concatenate(start)
    end = np.minimum(np.minimum(adults.dies[couples.mother[of]], adults.dies[couples.father[of]]), LAST_DAY - 10)
    kept = np.flatnonzero(date < end)
    order = kept[np.lexsort((date[kept], of[kept]))]
    of, what, date = of[order], what[order], date[order].astype(np.int32)
    weeks = _WEEKS[what] * rng.lognormal(0.0, 0.5, len(of))
    close = (date + weeks * 7).astype(np.int64)
    wed = date - rng.integers(400, 20 * 365, len(of))
    return FamilyCases(
        family=of,
        number=number_within(of),
        kind=what.astype(np.int8),
        start=date.astype(np.int32),
        close=missing_where(close.astype(np.int32), close > LAST_DAY),
        married=missing_where(wed.astype(np.int32), what != Kind.DIVORCE),
        region=adults.region[couples.mother[of]],
    )


def _children(
    rng: np.random.Generator, pool: StringPool, adults: People, couples: Couples, cases: FamilyCases
) -> tuple[People, Integers, Integers]:
    """Children of couples with a case about children; the place of each couple's first child, and how many."""
    about = np.zeros(len(couples.first), np.bool_)
    about[cases.family[np.isin(cases.kind, _WITH_CHILDREN)]] = True
    count = np.where(about, 1 + pick(rng, np.array(_CHILDREN), len(about)), 0)
    first = np.cumsum(count) - count
    of = np.repeat(np.arange(len(count)), count)
    mother, father = couples.mother[of], couples.father[of]
    born = _births(rng, adults.born[mother], couples.first[of])
    twin = (np.arange(len(of)) > first[of]) & (rng.random(len(of)) < _TWINS)
    twin[1:] &= ~twin[:-1]
    after = np.flatnonzero(twin)
    born[after] = born[after - 1]
    home = np.where(rng.random(len(of)) < 0.85, mother, father)
    female = rng.random(len(of)) < 0.49
    drawn = draw_others(rng, pool, female=female, born=born, settled=adults.onset[home], origin=adults.origin[mother])
    children = replace(
        drawn,
        surname=np.where(rng.random(len(of)) < _FATHERS_NAME, adults.surname[father], adults.surname[mother]).astype(
            np.int32
        ),
        places=adults.places[home],
        region=adults.region[home],
        married=np.full(len(of), MISSING, np.int32),
        married_surname=np.full(len(of), NOBODY, np.int32),
        alias_forename=np.full(len(of), NOBODY, np.int32),
        alias_surname=np.full(len(of), NOBODY, np.int32),
        foreign=np.zeros(len(of), np.bool_),
        birthday_known=np.ones(len(of), np.bool_),
        twin=twin,
    )
    return children, first, count


def _births(rng: np.random.Generator, mother: Days, date: Days) -> Days:
    earliest = np.maximum(date - 16 * YEAR, mother + 16 * YEAR)
    latest = np.maximum(date - 20, earliest + 1)
    return np.asarray(earliest + rng.random(len(date)) * (latest - earliest), np.int32)


def _roles(
    rng: np.random.Generator,
    people: People,
    couples: Couples,
    cases: FamilyCases,
    first_child: Integers,
    count: Integers,
) -> Roles:
    """Applicants, respondents, children under 18, and organisations, ordered by case."""
    number, kind = np.arange(len(cases)), cases.kind
    public, adoption = kind == Kind.PUBLIC, kind == Kind.ADOPTION
    mothers_ask = rng.random(len(kind)) < np.array([0, 0.42, 1.0, 0.62, 0.86, 0.5])[kind]
    fathers_ask = np.where(adoption, True, ~mothers_ask & ~public)
    mothers_ask &= ~public
    no_father = public & (rng.random(len(kind)) < _ABSENT_FATHER)
    mother, father = couples.mother[cases.family], couples.father[cases.family]
    about = np.isin(kind, _WITH_CHILDREN)
    children = np.where(about, count[cases.family], 0)
    of = np.repeat(number, children)
    child = (first_child[cases.family][of] + number_within(of)).astype(np.int32)
    age = (cases.start[of] - people.born[child]) / YEAR
    young = (age >= 0) & (age < 18)
    of, child = of[young], child[young]
    organisations = np.flatnonzero(public | adoption)
    fathers = np.where(fathers_ask, Role.APPLICANT, Role.RESPONDENT)
    parts = [
        (number, mother, np.where(mothers_ask, Role.APPLICANT, Role.RESPONDENT), True),
        (number[~no_father], father[~no_father], fathers[~no_father], False),
        (of, child, np.full(len(of), Role.CHILD), False),
        (organisations, np.full(len(organisations), NOBODY), np.full(len(organisations), Role.APPLICANT), False),
        (number[public], np.full(int(public.sum()), NOBODY), np.full(int(public.sum()), Role.GUARDIAN), False),
    ]
    case = np.concatenate([part[0] for part in parts])
    order = np.argsort(case, kind="stable")
    return Roles(
        case=case[order],
        person=np.concatenate([part[1] for part in parts])[order].astype(np.int32),
        role=np.concatenate([part[2] for part in parts])[order].astype(np.int8),
        mother=np.concatenate([np.full(len(part[0]), part[3]) for part in parts])[order],
    )


def _records(
    rng: np.random.Generator, pool: StringPool, everyone: Everyone, cases: FamilyCases, roles: Roles
) -> tuple[Source, Integers]:
    human = np.flatnonzero(roles.person != NOBODY)
    holdings = hold_each(rng, roles.person[human], cases.start[roles.case[human]], reuse=REUSED)
    said = record(
        rng, pool, everyone.people, person=holdings.person, first_day=holdings.first_day, habits=FAMILY,
        earlier=nobody(), copy_of=np.full(len(holdings), NO_COPY),
    )  # fmt: skip
    said = _by_case(rng, said, holdings, cases, roles, human)
    record_of = np.empty(len(roles.case), np.int64)
    record_of[human] = holdings.of_event
    others = np.flatnonzero(roles.person == NOBODY)
    record_of[others] = len(holdings) + np.arange(len(others))
    return as_source("family", everyone, holdings, said), record_of


def _by_case(
    rng: np.random.Generator,
    said: Identities,
    holdings: Holdings,
    cases: FamilyCases,
    roles: Roles,
    human: Integers,
) -> Identities:
    """Birth dates that divorce does not ask for, and addresses that applicants for protection withhold."""
    kind = np.zeros(len(holdings), np.int64)
    applicant = np.zeros(len(holdings), np.bool_)
    kind[holdings.of_event[::-1]] = cases.kind[roles.case[human]][::-1]
    applicant[holdings.of_event[::-1]] = (roles.role[human] == Role.APPLICANT)[::-1]
    drawn: Floats = rng.random((2, len(holdings)))
    unasked = (kind == Kind.DIVORCE) & (drawn[0] < NO_BIRTH_DATE_IN_DIVORCE)
    withheld = (kind == Kind.ABUSE) & applicant & (drawn[1] < WITHHELD)
    return replace(said, born=missing_where(said.born, unasked), place=np.where(withheld, NOWHERE, said.place))
