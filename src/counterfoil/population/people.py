"""Who the people are: sex, birth, group of naming custom, names, family, address, and what is not seen of them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from counterfoil.population.calendar import MISSING, Days, year_of
from counterfoil.population.draws import Floats, pick, pick_rows, truncated_normal
from counterfoil.population.names import draw_names, draw_surnames
from counterfoil.population.places import draw_places, draw_regions
from counterfoil.population.settings import FIRST_DAY, LAST_DAY
from counterfoil.population.strings import NO_TEXT, Ids, StringPool
from counterfoil.population.tables import Pattern, origins

Booleans = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

ADDRESSES = 3  # that a person lives at, one after another

_FEMALE = 0.19
_YOUNGEST = 10.3  # years of age; nobody under 10 is responsible
_SURNAME_BY_SEX = frozenset({Pattern.SINGH_KAUR, Pattern.SYLHETI, Pattern.POLISH})
_ONSET_YEARS_SHAPE = (1.4, 0.9)  # Beta: more people have their first record in later years
_RELATIVE = 0.05  # of people are the next person's brother, sister, parent or child at the same address
_TWIN = 0.006
_HYPHENATED = 0.035
_TAKES_NAME = 0.36  # of women change their surname at marriage at some time
_HOMELESS = 0.045
_DEATHS_A_YEAR = 0.006
_UNKNOWN_BIRTHDAY = 0.16  # of foreign nationals of some groups are given 1 January everywhere
_UNKNOWN_BIRTHDAY_FROM = 1.8  # messiness of those groups
_ALIAS = 0.16  # have used another name


@dataclass(frozen=True, slots=True)
class People:
    """One entry a person. Names are ids in the pool that made them; dates are days; `latent` is a unit normal that no
    source holds: it moves reoffending and, a little, who joins a programme."""

    female: Booleans
    born: Days
    birthday_known: Booleans  # without papers, officials give 1 January
    origin: npt.NDArray[np.int8]
    ethnicity: npt.NDArray[np.int8]
    foreign: Booleans
    onset: Days
    latent: Floats
    messiness: Floats
    homeless: Booleans
    dies: Days
    region: npt.NDArray[np.int8]
    places: npt.NDArray[np.int64]  # people x ADDRESSES
    forename1: Ids
    forename2: Ids
    surname: Ids
    married_surname: Ids  # NO_TEXT when never changed
    married: Days
    alias_forename: Ids
    alias_surname: Ids
    twin: Booleans  # of the person before

    def __len__(self) -> int:
        return len(self.born)


def ethnicities() -> tuple[str, ...]:
    """Codes that `People.ethnicity` counts in."""
    return tuple(sorted({code for origin in origins() for code in origin.ethnicity}))


def draw_people(rng: np.random.Generator, pool: StringPool, size: int) -> People:
    """A population with a first record between the first and last day of the sources."""
    female = rng.random(size) < _FEMALE
    onset, born = _onset_and_birth(rng, female)
    origin = _origin(rng, born, onset)
    twin, relative = _families(rng, female, onset, origin)
    onset, born = _share_birthday(onset, born, twin)
    origin = _like_the_one_before(origin, twin | relative)
    people = _named(rng, pool, female=female, born=born, onset=onset, origin=origin, twin=twin)
    return _with_families(people, twin | relative)


def draw_others(
    rng: np.random.Generator,
    pool: StringPool,
    *,
    female: Booleans,
    born: Days,
    settled: Days,
    origin: npt.NDArray[np.int8] | None = None,
) -> People:
    """People of given sex and birth who never had a record, each alone; `settled` is when they came to the first
    address. A group of -1 in `origin`, or none at all, is drawn."""
    drawn = _origin(rng, born, settled)
    group = drawn if origin is None else np.where(origin < 0, drawn, origin).astype(np.int8)
    alone = np.zeros(len(born), np.bool_)
    people = _named(rng, pool, female=female, born=born, onset=settled, origin=group, twin=alone)
    return replace(people, homeless=alone, latent=people.latent - 0.5)


def joined(*groups: People) -> People:
    """Some people, then others."""
    return People(**{f.name: np.concatenate([getattr(group, f.name) for group in groups]) for f in fields(People)})


def _onset_and_birth(rng: np.random.Generator, female: Booleans) -> tuple[Days, Days]:
    """The first offence, and birth from the age at it: a peak at 16, a shoulder in the twenties, a long tail."""
    size = len(female)
    onset = FIRST_DAY + rng.beta(*_ONSET_YEARS_SHAPE, size) * (LAST_DAY - FIRST_DAY - 400)
    kind = pick_rows(rng, np.where(female[:, None], [[0.28, 0.27, 0.45]], [[0.38, 0.32, 0.30]]))
    young = truncated_normal(rng, 16.3, 2.0, _YOUNGEST, size)
    middle = 17.5 + rng.exponential(5.0, size)
    late = np.minimum(20 + rng.gamma(1.8, 9.0, size), 79.0)
    age = np.choose(kind, [young, middle, late])
    return onset.astype(np.int32), (onset - age * 365.25).astype(np.int32)


def _families(
    rng: np.random.Generator, female: Booleans, onset: Days, origin: npt.NDArray[np.int8]
) -> tuple[Booleans, Booleans]:
    """Who is the twin, and who another relative, of the person before. No two follow each other.

    Left out where that person's group came later, and where the sexes differ and surnames follow sex.
    """
    drawn = rng.random(len(female))
    drawn[0] = 1.0
    drawn[1:][drawn[:-1] < _TWIN + _RELATIVE] = 1.0
    group = np.roll(origin, 1)
    by_sex = np.array([g.pattern in _SURNAME_BY_SEX for g in origins()])[group]
    arrived = year_of(onset) >= np.array([g.from_year for g in origins()])[group]
    can = arrived & ~(by_sex & (female != np.roll(female, 1)))
    return can & (drawn < _TWIN), can & (drawn >= _TWIN) & (drawn < _TWIN + _RELATIVE)


def _share_birthday(onset: Days, born: Days, twin: Booleans) -> tuple[Days, Days]:
    """Twins have one birthday; the first offence moves with it, so that the age at it stays."""
    who = np.flatnonzero(twin)
    onset, shared = onset.copy(), born.copy()
    shared[who] = born[who - 1]
    moved = onset[who] + shared[who] - born[who]
    youngest = shared[who] + int(_YOUNGEST * 365.25)
    onset[who] = np.maximum(np.clip(moved, FIRST_DAY, LAST_DAY - 400), youngest)
    return onset, shared


def _like_the_one_before(values: npt.NDArray[np.int8], who: Booleans) -> npt.NDArray[np.int8]:
    copied = values.copy()
    copied[who] = values[np.flatnonzero(who) - 1]
    return copied


def _origin(rng: np.random.Generator, born: Days, onset: Days) -> npt.NDArray[np.int8]:
    groups = origins()
    later = np.clip((year_of(born) - 1975) / 20.0, -1.0, 1.0)
    weights = np.array([g.share for g in groups]) * np.clip(
        1.0 + later[:, None] * np.array([g.young for g in groups]), 0.1, None
    )
    weights *= year_of(onset)[:, None] >= np.array([g.from_year for g in groups])
    return pick_rows(rng, weights).astype(np.int8)


def _named(
    rng: np.random.Generator,
    pool: StringPool,
    *,
    female: Booleans,
    born: Days,
    onset: Days,
    origin: npt.NDArray[np.int8],
    twin: Booleans,
) -> People:
    size, number = len(born), origin.astype(np.int64)
    names = draw_names(rng, pool, origin=number, female=female, birth_year=year_of(born))
    foreign = rng.random(size) < np.array([g.foreign for g in origins()])[number]
    surname = _hyphenate(rng, pool, names.surname, born, number)
    region = draw_regions(rng, size)
    homeless = rng.random(size) < _HOMELESS
    married, married_surname = _marriages(rng, pool, female, born, number)
    alias_forename, alias_surname = _aliases(rng, pool, names.forename1, surname, number)
    return People(
        female=female,
        born=born,
        birthday_known=rng.random(size) >= _unknown_birthdays(number, foreign),
        origin=origin,
        ethnicity=_ethnicity(rng, number),
        foreign=foreign,
        onset=onset,
        latent=rng.standard_normal(size),
        messiness=_messiness(rng, number, female, homeless),
        homeless=homeless,
        dies=_deaths(rng, born, onset),
        region=region,
        places=draw_places(rng, region, ADDRESSES),
        forename1=names.forename1,
        forename2=names.forename2,
        surname=surname,
        married_surname=married_surname,
        married=married,
        alias_forename=alias_forename,
        alias_surname=alias_surname,
        twin=twin,
    )


def _ethnicity(rng: np.random.Generator, origin: Integers) -> npt.NDArray[np.int8]:
    codes = ethnicities()
    weights = np.array([[float(g.ethnicity.get(code, 0)) for code in codes] for g in origins()])
    result = np.zeros(len(origin), np.int8)
    for number in range(len(origins())):
        who = np.flatnonzero(origin == number)
        result[who] = pick(rng, weights[number], len(who))
    return result


def _unknown_birthdays(origin: Integers, foreign: Booleans) -> Floats:
    group = np.array([g.messiness >= _UNKNOWN_BIRTHDAY_FROM for g in origins()])[origin]
    return np.asarray(_UNKNOWN_BIRTHDAY * (group & foreign), np.float64)


def _messiness(rng: np.random.Generator, origin: Integers, female: Booleans, homeless: Booleans) -> Floats:
    """How often this person's identifiers go wrong, relative to 1: one factor for all fields."""
    group = np.array([g.messiness for g in origins()])[origin]
    own = rng.lognormal(-0.32, 0.8, len(origin))  # mean 1
    return np.asarray(own * group * np.where(female, 1.1, 1.0) * np.where(homeless, 1.8, 1.0), np.float64)


def _deaths(rng: np.random.Generator, born: Days, onset: Days) -> Days:
    age = (onset - born) / 365.25
    years = rng.exponential(1.0, len(born)) / (_DEATHS_A_YEAR * np.exp(0.05 * np.maximum(age - 30, 0.0)))
    return (onset + 1 + np.minimum(years * 365.25, 40_000)).astype(np.int32)


def _hyphenate(rng: np.random.Generator, pool: StringPool, surname: Ids, born: Days, origin: Integers) -> Ids:
    """Double-barrelled names: rare before 1985, commoner among those born since."""
    chance = np.where(year_of(born) > 1985, 2.0, 0.5) * _HYPHENATED
    british = np.isin(origin, [i for i, g in enumerate(origins()) if g.surnames in {"british", "caribbean"}])
    who = np.flatnonzero(british & (rng.random(len(surname)) < chance))
    doubled = surname.copy()
    doubled[who] = pool.join(surname[who], draw_surnames(rng, pool, origin[who]), "-")
    return doubled


def _marriages(
    rng: np.random.Generator, pool: StringPool, female: Booleans, born: Days, origin: Integers
) -> tuple[Days, Ids]:
    size = len(born)
    wed = np.where(female, _TAKES_NAME, 0.004) > rng.random(size)
    day = born + (truncated_normal(rng, 28.0, 6.5, 18.0, size) * 365.25).astype(np.int32)
    surname = np.full(size, NO_TEXT, np.int32)
    who = np.flatnonzero(wed)
    surname[who] = draw_surnames(rng, pool, origin[who])
    return np.where(wed, day, MISSING).astype(np.int32), surname


def _aliases(
    rng: np.random.Generator, pool: StringPool, forename: Ids, surname: Ids, origin: Integers
) -> tuple[Ids, Ids]:
    """Another name that someone has used: another forename with the same surname, the other way round, or both new."""
    size = len(forename)
    kind = pick(rng, np.array([1 - _ALIAS, _ALIAS * 0.45, _ALIAS * 0.35, _ALIAS * 0.2]), size)
    other_forename = np.where(np.isin(kind, [1, 3]), rng.permutation(forename), forename)
    other_surname = surname.copy()
    who = np.flatnonzero(kind >= 2)
    other_surname[who] = draw_surnames(rng, pool, origin[who])
    none = kind == 0
    return (
        np.where(none, NO_TEXT, other_forename).astype(np.int32),
        np.where(none, NO_TEXT, other_surname).astype(np.int32),
    )


def _with_families(people: People, relative: Booleans) -> People:
    """Relatives share surname, region and address with the person before; Singh or Kaur in the middle too."""
    who = np.flatnonzero(relative)
    surname, region, places = people.surname.copy(), people.region.copy(), people.places.copy()
    surname[who], region[who], places[who] = surname[who - 1], region[who - 1], places[who - 1]
    custom = [number for number, group in enumerate(origins()) if group.pattern is Pattern.SINGH_KAUR]
    same_middle = who[np.isin(people.origin[who], custom)]
    forename2 = people.forename2.copy()
    forename2[same_middle] = forename2[same_middle - 1]
    return replace(people, surname=surname, forename2=forename2, region=region, places=places)
