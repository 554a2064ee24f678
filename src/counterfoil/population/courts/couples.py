"""The couples of family courts: parents of the population, and others whom nothing else knows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from counterfoil.population.calendar import Days, day
from counterfoil.population.courts.parties import NOBODY, Persons, weighted
from counterfoil.population.draws import pick
from counterfoil.population.people import People, draw_others, joined
from counterfoil.population.settings import LAST_DAY
from counterfoil.population.strings import Ids, StringPool

Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]


class Kind(IntEnum):
    """Branch of family law. Position in KINDS."""

    PUBLIC = 0
    PRIVATE = 1
    ADOPTION = 2
    DIVORCE = 3
    ABUSE = 4
    OTHER = 5


KINDS = (
    "public law", "private law", "adoption", "divorce and civil partnership", "Family Law Act (domestic abuse)",
    "other",
)  # fmt: skip

FIRST_CASE = day(dt.date(2011, 1, 1))
YEAR = 365.25
FAMILIES = 0.165  # with a case, for each person of the population, before those who cannot have had one are left out
_FIRST_KIND = (0.11, 0.24, 0.02, 0.42, 0.16, 0.05)
# Of families by the kind of their first case: the father, the mother has a record.
_FATHER_HAS = np.array([0.60, 0.36, 0.25, 0.20, 0.62, 0.20])
_MOTHER_HAS = np.array([0.40, 0.10, 0.10, 0.05, 0.08, 0.05])
BY_LATENT = 0.35  # log odds of being chosen for each SD of the unseen factor
_SAME_ORIGIN = 0.85  # of partners
_SHARED_HOME = {Kind.DIVORCE: 0.8}  # of couples had one home, and 0.5 of others
_TAKES_NAME = 0.55  # of wives who divorce and have no record


@dataclass(frozen=True, slots=True)
class Couples:
    """One entry a couple that comes before the courts; `first` is the day of its first case, `kind` of what branch."""

    mother: Persons
    father: Persons
    first: Days
    kind: Codes

    def take(self, who: Booleans) -> Couples:
        """Some of them."""
        return Couples(self.mother[who], self.father[who], self.first[who], self.kind[who])


def make_couples(rng: np.random.Generator, pool: StringPool, people: People) -> tuple[People, Couples]:
    """The population and outsiders who are parents, and who makes a couple. Those who were too young are left out."""
    size = max(round(len(people) * FAMILIES), 2)
    kind = pick(rng, np.array(_FIRST_KIND), size).astype(np.int8)
    first = rng.integers(FIRST_CASE, LAST_DAY - 30, size).astype(np.int32)
    father = _of_population(rng, people, ~people.female, rng.random(size) < _FATHER_HAS[kind])
    mother = _of_population(rng, people, people.female, rng.random(size) < _MOTHER_HAS[kind])
    kept = _could_be(people, father, first) & _could_be(people, mother, first)
    couples = Couples(mother[kept], father[kept], first[kept], kind[kept])
    everyone, couples = _with_fathers(rng, pool, people, couples)
    return _with_mothers(rng, pool, everyone, couples)


def _of_population(rng: np.random.Generator, people: People, who: Booleans, wanted: Booleans) -> Persons:
    weights = np.where(who, np.exp(BY_LATENT * people.latent), 0.0)
    return np.where(wanted, weighted(rng, weights, len(wanted)), NOBODY).astype(np.int32)


def _could_be(people: People, person: Persons, date: Days) -> Booleans:
    """Grown up and alive on the day, or to be drawn yet."""
    age = (date - people.born[person]) / YEAR
    return np.asarray((person == NOBODY) | ((age >= 18) & (age < 70) & (people.dies[person] > date)), np.bool_)


def _partner_born(rng: np.random.Generator, people: People, partner: Persons, date: Days) -> Days:
    years = np.where(
        partner == NOBODY, 19 + rng.gamma(3.0, 5.5, len(date)), (date - people.born[partner]) / YEAR
    ) + np.where(partner == NOBODY, 0.0, rng.normal(0.0, 4.0, len(date)))
    return np.asarray(date - np.clip(years, 17.5, 75.0) * YEAR, np.int32)


def _like(rng: np.random.Generator, people: People, partner: Persons) -> Codes:
    same = (partner != NOBODY) & (rng.random(len(partner)) < _SAME_ORIGIN)
    return np.where(same, people.origin[partner], -1).astype(np.int8)


def _settled(rng: np.random.Generator, date: Days) -> Days:
    return (date - rng.integers(0, 9 * 365, len(date))).astype(np.int32)


def _with_fathers(
    rng: np.random.Generator, pool: StringPool, people: People, couples: Couples
) -> tuple[People, Couples]:
    who = np.flatnonzero(couples.father == NOBODY)
    date, partner = couples.first[who], couples.mother[who]
    men = draw_others(
        rng, pool, female=np.zeros(len(who), np.bool_), born=_partner_born(rng, people, partner, date),
        settled=_settled(rng, date), origin=_like(rng, people, partner),
    )  # fmt: skip
    men = _homes(rng, men, people, partner, couples.kind[who])
    father = couples.father.copy()
    father[who] = np.arange(len(people), len(people) + len(who))
    return joined(people, men), replace(couples, father=father)


def _with_mothers(
    rng: np.random.Generator, pool: StringPool, people: People, couples: Couples
) -> tuple[People, Couples]:
    who = np.flatnonzero(couples.mother == NOBODY)
    date, partner = couples.first[who], couples.father[who]
    women = draw_others(
        rng, pool, female=np.ones(len(who), np.bool_), born=_partner_born(rng, people, partner, date),
        settled=_settled(rng, date), origin=_like(rng, people, partner),
    )  # fmt: skip
    women = _homes(rng, women, people, partner, couples.kind[who])
    women = _wives(rng, women, people.surname[partner], couples.kind[who] == Kind.DIVORCE, date)
    mother = couples.mother.copy()
    mother[who] = np.arange(len(people), len(people) + len(who))
    return joined(people, women), replace(couples, mother=mother)


def _homes(rng: np.random.Generator, others: People, people: People, partner: Persons, kind: Codes) -> People:
    """Many couples had one home; those of a partner without a record have their own."""
    chance = np.where(kind == Kind.DIVORCE, _SHARED_HOME[Kind.DIVORCE], 0.5)
    shared = (partner != NOBODY) & (rng.random(len(partner)) < chance)
    return replace(
        others,
        places=np.where(shared[:, None], people.places[partner], others.places),
        region=np.where(shared, people.region[partner], others.region).astype(np.int8),
        onset=np.where(shared, people.onset[partner], others.onset).astype(np.int32),
    )


def _wives(rng: np.random.Generator, women: People, husbands: Ids, divorce: Booleans, date: Days) -> People:
    takes = divorce & (rng.random(len(women)) < _TAKES_NAME)
    wed = np.maximum(date - rng.integers(400, 20 * 365, len(women)), women.born + 17 * 365).astype(np.int32)
    return replace(
        women,
        married_surname=np.where(takes, husbands, women.married_surname).astype(np.int32),
        married=np.where(takes, np.minimum(wed, date - 30), women.married).astype(np.int32),
    )
