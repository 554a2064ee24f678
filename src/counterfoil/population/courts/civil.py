"""The County Court: claims, mostly of bulk issuers against people who owe money, and who the parties are.

Some who owe are of the population or have been in a family court; most never had a record. Every claim writes its
parties down anew, mostly without a birth date.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from counterfoil.population.calendar import MISSING, Days, day
from counterfoil.population.counters import Draws, stream
from counterfoil.population.courts.parties import (
    NOBODY,
    Everyone,
    Persons,
    as_source,
    hold_each,
    ids_where,
    weighted,
)
from counterfoil.population.draws import pick, pick_rows
from counterfoil.population.identities import NO_COPY, Habits, Identities, nobody, record
from counterfoil.population.people import People, draw_others, joined
from counterfoil.population.settings import LAST_DAY
from counterfoil.population.sources import Source
from counterfoil.population.strings import NO_TEXT, StringPool

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]

FIRST_CLAIM = day(dt.date(2012, 1, 1))
YEAR = 365.25

CIVIL = Habits(
    slip=0.022, date_slip=0.012, familiar=0.05, swapped=0.004, no_second_forename=0.65, half_a_double_name=0.15,
    mark_lost=0.35, no_diacritics=0.9, upper_case=False, no_birth_date=0.0, stand_in_birth_date=0.004,
    no_postcode=0.02, wrong_sex=0.002, copies=0.0,
)  # fmt: skip
NO_BIRTH_DATE = 0.93  # of parties
INITIAL_ONLY = 0.10  # of forenames
TITLE_IN_FORENAME = 0.04
TRADES = 0.02  # of people who are sued trade under a second name, which stands behind their own


class Party(IntEnum):
    """What a party is. Position in PARTIES."""

    PERSON = 0
    COMPANY = 1
    PUBLIC_BODY = 2
    LANDLORD = 3


PARTIES = ("person", "company", "public body", "landlord")
CLAIMS = (
    "specified money", "unspecified money", "personal injury", "mortgage possession", "landlord possession (social)",
    "landlord possession (private)", "landlord possession (accelerated)", "return of goods", "insolvency", "other",
)  # fmt: skip
MONEY, MORTGAGE, INSOLVENCY = 0, 3, 8
POSSESSION = (3, 4, 5, 6)
_CLAIM_WEIGHTS = (0.66, 0.04, 0.04, 0.03, 0.08, 0.05, 0.02, 0.03, 0.02, 0.03)
# Of claimants, by kind of claim: people, companies, public bodies, social landlords.
_CLAIMANTS = np.array(
    [
        [0.12, 0.78, 0.10, 0.0],
        [0.60, 0.40, 0.00, 0.0],
        [1.00, 0.00, 0.00, 0.0],
        [0.00, 1.00, 0.00, 0.0],
        [0.00, 0.00, 0.25, 0.75],
        [0.60, 0.40, 0.00, 0.0],
        [0.60, 0.40, 0.00, 0.0],
        [0.00, 1.00, 0.00, 0.0],
        [0.00, 0.40, 0.60, 0.0],
        [0.50, 0.35, 0.15, 0.0],
    ]
)
_COMPANY_SUED = np.array([0.16, 0.50, 0.75, 0.0, 0.0, 0.0, 0.0, 0.05, 0.30, 0.30])
_BULK = 0.85  # of money claims of companies and public bodies

CLAIMED = 0.71  # claims for each person of the population, before those against the dead and the young are left out
_SUED = 0.30  # people who may be sued, for each person of the population
_OF_POPULATION, _OF_FAMILY = 0.42, 0.12  # of those
BY_LATENT = 0.25  # log odds of being one of them for each SD of the unseen factor
_MORE_THAN_OTHERS = 1.2  # shape of the gamma that says how often each is sued
_MARRIED = 0.16  # of them have a husband or wife who may be sued with them
_SUED_TOGETHER = 0.6
_NAMESAKE_AT_HOME = 0.003  # of them have a son or daughter of the same name at the same address
_SPOUSES_NAME = 0.7
_CLAIMANTS_OF_POPULATION = 0.12
_LANDLORDS = 0.02  # for each person of the population


@dataclass(frozen=True, slots=True)
class Claims:
    """One entry a claim; `kind` a position in CLAIMS."""

    kind: Codes
    issued: Days
    region: Codes
    bulk: Booleans

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True, slots=True)
class Parties:
    """One entry a party, ordered by claim; `person` is NOBODY for an organisation of some `kind`."""

    claim: Integers
    person: Persons
    kind: Codes
    claims: Booleans  # it is the claimant

    def __len__(self) -> int:
        return len(self.claim)


@dataclass(frozen=True, slots=True)
class CivilCourts:
    """Everything of the County Court. Records of people come first in the table, then those of organisations."""

    everyone: Everyone
    source: Source  # under true numbers
    claims: Claims
    parties: Parties
    record_of: Integers  # of each party
    draws: Draws


def civil_courts(rng: np.random.Generator, pool: StringPool, before: Everyone) -> CivilCourts:
    """Claims and their parties. `before`: the population and the outsiders of the family courts."""
    size = before.with_record
    people, sued, spouse = _those_sued(rng, pool, before)
    people, landlords, others = _those_who_sue(rng, pool, people, round(size * _LANDLORDS) + 1, round(size * 0.08) + 1)
    drawn = _draw_claims(rng, people, sued, round(size * CLAIMED) + 1)
    claims, parties = _parties(rng, people, drawn, spouse, landlords, others, size)
    everyone = Everyone(people, size)
    source, record_of = _records(rng, pool, everyone, claims, parties)
    return CivilCourts(everyone, source, claims, parties, record_of, stream(rng))


def _those_sued(
    rng: np.random.Generator, pool: StringPool, before: Everyone
) -> tuple[People, Persons, dict[str, Persons]]:
    """Everybody so far and more outsiders; who may be sued; and each one's husband or wife."""
    people, wanted = before.people, round(before.with_record * _SUED) + 2
    grown = people.born < LAST_DAY - 19 * YEAR
    own = np.flatnonzero(grown[: before.with_record])
    chance = np.exp(BY_LATENT * people.latent[own])
    first = np.unique(own[weighted(rng, chance, round(wanted * _OF_POPULATION))])
    outside = np.flatnonzero(grown[before.with_record :]) + before.with_record
    second = rng.permutation(outside)[: round(wanted * _OF_FAMILY)]
    new = _strangers(rng, pool, wanted - len(first) - len(second))
    sued = np.concatenate([first, second, len(people) + np.arange(len(new))])
    people = joined(people, new)
    married = sued[rng.random(len(sued)) < _MARRIED]
    namesakes = sued[rng.random(len(sued)) < _NAMESAKE_AT_HOME]
    spouses, sons = _spouses(rng, pool, people, married), _namesakes(rng, pool, people, namesakes)
    spouse = {"of": married.astype(np.int32), "is": (len(people) + np.arange(len(spouses))).astype(np.int32)}
    people = joined(people, spouses, sons)
    sued = np.concatenate([sued, len(people) - len(sons) + np.arange(len(sons))])
    return people, sued.astype(np.int32), spouse


def _strangers(rng: np.random.Generator, pool: StringPool, size: int) -> People:
    date = rng.integers(FIRST_CLAIM, LAST_DAY, size)
    age = np.minimum(19 + rng.gamma(2.2, 9.5, size), 88.0)
    female = rng.random(size) < 0.46
    settled = (date - rng.integers(0, 9 * 365, size)).astype(np.int32)
    return draw_others(rng, pool, female=female, born=(date - age * YEAR).astype(np.int32), settled=settled)


def _spouses(rng: np.random.Generator, pool: StringPool, people: People, of: Integers) -> People:
    born = (people.born[of] + rng.normal(0, 4, len(of)) * YEAR).astype(np.int32)
    drawn = draw_others(
        rng, pool, female=~people.female[of], born=born, settled=people.onset[of], origin=people.origin[of]
    )
    shared = rng.random(len(of)) < _SPOUSES_NAME
    none = np.full(len(of), NO_TEXT, np.int32)
    return replace(
        drawn,
        surname=ids_where(shared, people.surname[of], drawn.surname),
        married_surname=none,
        married=np.full(len(of), MISSING, np.int32),
        places=people.places[of],
        region=people.region[of],
    )


def _namesakes(rng: np.random.Generator, pool: StringPool, people: People, of: Integers) -> People:
    """A son or daughter who has the parent's forename and surname, and lives there."""
    born = (people.born[of] + rng.integers(20 * 365, 34 * 365, len(of))).astype(np.int32)
    drawn = draw_others(
        rng, pool, female=people.female[of], born=born, settled=people.onset[of], origin=people.origin[of]
    )
    return replace(
        drawn,
        forename1=people.forename1[of],
        surname=people.surname[of],
        married_surname=np.full(len(of), NO_TEXT, np.int32),
        married=np.full(len(of), MISSING, np.int32),
        places=people.places[of],
        region=people.region[of],
    )


def _those_who_sue(
    rng: np.random.Generator, pool: StringPool, people: People, landlords: int, others: int
) -> tuple[People, Persons, Persons]:
    """Everybody, and who lets a home or claims something else."""
    new = _strangers(rng, pool, landlords + others)
    first = len(people) + np.arange(landlords + others, dtype=np.int32)
    return joined(people, new), first[:landlords], first[landlords:]


@dataclass(frozen=True, slots=True)
class _Drawn:
    kind: Integers
    issued: Days
    sued: Persons  # NOBODY for a company
    claimant: Codes


def _draw_claims(rng: np.random.Generator, people: People, sued: Persons, size: int) -> _Drawn:
    """Claims against the living and grown up."""
    kind = pick(rng, np.array(_CLAIM_WEIGHTS), size)
    issued = rng.integers(FIRST_CLAIM, LAST_DAY, size).astype(np.int32)
    who = sued[weighted(rng, rng.gamma(_MORE_THAN_OTHERS, 1.0, len(sued)), size)]
    who = np.where(rng.random(size) < _COMPANY_SUED[kind], NOBODY, who).astype(np.int32)
    age = (issued - people.born[who]) / YEAR
    kept = (who == NOBODY) | ((age >= 18) & (age < 95) & (people.dies[who] > issued))
    claimant = pick_rows(rng, _CLAIMANTS[kind]).astype(np.int8)
    return _Drawn(kind[kept], issued[kept], who[kept], claimant[kept])


def _parties(
    rng: np.random.Generator,
    people: People,
    drawn: _Drawn,
    spouse: dict[str, Persons],
    landlords: Persons,
    others: Persons,
    size: int,
) -> tuple[Claims, Parties]:
    number = np.arange(len(drawn.kind))
    claimant = _claimants(rng, drawn, landlords, others, size)
    married_to = np.full(len(people), NOBODY, np.int32)
    married_to[spouse["of"]] = spouse["is"]
    beside = np.where(drawn.sued == NOBODY, NOBODY, married_to[drawn.sued])
    joint = np.flatnonzero((beside != NOBODY) & (rng.random(len(number)) < _SUED_TOGETHER))
    sued_kind = np.where(drawn.sued == NOBODY, Party.COMPANY, Party.PERSON)
    parts = [
        (number, claimant, drawn.claimant, True),
        (number, drawn.sued, sued_kind, False),
        (joint, beside[joint], np.full(len(joint), Party.PERSON), False),
    ]
    claim = np.concatenate([part[0] for part in parts])
    order = np.argsort(claim, kind="stable")
    parties = Parties(
        claim=claim[order],
        person=np.concatenate([part[1] for part in parts])[order].astype(np.int32),
        kind=np.concatenate([part[2] for part in parts])[order].astype(np.int8),
        claims=np.concatenate([np.full(len(part[0]), part[3]) for part in parts])[order],
    )
    somebody = np.where(drawn.sued == NOBODY, 0, drawn.sued)
    region = np.where(
        drawn.sued == NOBODY, rng.integers(0, int(people.region.max()) + 1, len(number)), people.region[somebody]
    )
    issuer = np.isin(drawn.claimant, (Party.COMPANY, Party.PUBLIC_BODY)) & (drawn.kind == MONEY)
    bulk = issuer & (rng.random(len(number)) < _BULK)
    return Claims(drawn.kind.astype(np.int8), drawn.issued, region.astype(np.int8), bulk), parties


def _claimants(rng: np.random.Generator, drawn: _Drawn, landlords: Persons, others: Persons, size: int) -> Persons:
    """People who claim: landlords again and again, others once or twice, now and then one with a record."""
    number = len(drawn.kind)
    landlord = landlords[weighted(rng, rng.gamma(0.8, 1.0, len(landlords)), number)]
    somebody = np.where(
        rng.random(number) < _CLAIMANTS_OF_POPULATION,
        rng.integers(0, size, number),
        others[rng.integers(0, len(others), number)],
    )
    who = np.where(np.isin(drawn.kind, POSSESSION), landlord, somebody)
    return np.where(drawn.claimant == Party.PERSON, who, NOBODY).astype(np.int32)


def _records(
    rng: np.random.Generator, pool: StringPool, everyone: Everyone, claims: Claims, parties: Parties
) -> tuple[Source, Integers]:
    human = np.flatnonzero(parties.person != NOBODY)
    holdings = hold_each(rng, parties.person[human], claims.issued[parties.claim[human]], reuse=0.0)
    said = record(
        rng, pool, everyone.people, person=holdings.person, first_day=holdings.first_day, habits=CIVIL,
        earlier=nobody(), copy_of=np.full(len(holdings), NO_COPY),
    )  # fmt: skip
    record_of = np.empty(len(parties), np.int64)
    record_of[human] = holdings.of_event
    others = np.flatnonzero(parties.person == NOBODY)
    record_of[others] = len(holdings) + np.arange(len(others))
    return as_source("civil", everyone, holdings, _as_typed(rng, pool, said)), record_of


def _as_typed(rng: np.random.Generator, pool: StringPool, said: Identities) -> Identities:
    """Mostly no birth date; initials; no alias is known."""
    size = len(said)
    initial = rng.random(size) < INITIAL_ONLY
    short = said.forename1.copy()
    short[initial] = pool.map(said.forename1[initial], lambda name: name[:1])
    unknown = rng.random(size) < NO_BIRTH_DATE
    return replace(
        said,
        forename1=short,
        born=np.where(unknown, MISSING, said.born).astype(np.int32),
        aliases=np.full(size, NO_TEXT, np.int32),
    )
