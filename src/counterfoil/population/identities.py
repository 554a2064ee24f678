"""Who someone is said to be in one record: the true identity at the time, or a copy of another, with new errors.

Errors go together: one factor a person multiplies every chance, and what one source has wrong the next one copies. The
chances below are for a factor of 1, a record at a time.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from counterfoil.population.calendar import MISSING, Days, day
from counterfoil.population.draws import Floats
from counterfoil.population.people import ADDRESSES, People, ethnicities
from counterfoil.population.places import NOWHERE, Places, mistyped
from counterfoil.population.slips import (
    familiar,
    first_of_january,
    holds_mark,
    mistyped_date,
    plain_letters,
    slipped,
    swap_day_and_month,
)
from counterfoil.population.strings import NO_TEXT, Ids, StringPool
from counterfoil.population.tables import Pattern, origins

Integers = npt.NDArray[np.int32]
Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]

SEXES = ("0", "1", "2", "9")
NATIONALITIES = ("UK", "FN", "NK")
NO_COPY = -1

_STAND_INS = (day(dt.date(1900, 1, 1)), day(dt.date(1970, 1, 1)))
_YEARS_AT_ADDRESS = 4.0
_MOVES_WITH_MARRIAGE = 0.8  # records after the marriage that carry the new name
_SWAPPED_BY_CUSTOM = {Pattern.VIETNAMESE: 8.0, Pattern.TWO_SYLLABLE: 6.0, Pattern.THREE_PART: 3.0}


@dataclass(frozen=True, slots=True)
class Habits:
    """How one source keeps people. Chances a record, at a messiness of 1."""

    slip: float  # in each name
    date_slip: float
    familiar: float
    swapped: float  # surname and forename
    no_second_forename: float
    half_a_double_name: float
    mark_lost: float  # hyphen or apostrophe
    no_diacritics: float
    upper_case: bool
    no_birth_date: float
    stand_in_birth_date: float
    no_postcode: float
    wrong_sex: float
    copies: float  # of the record that it may copy


PNC = Habits(
    slip=0.012, date_slip=0.010, familiar=0.015, swapped=0.002, no_second_forename=0.12, half_a_double_name=0.10,
    mark_lost=0.30, no_diacritics=1.0, upper_case=True, no_birth_date=0.002, stand_in_birth_date=0.002,
    no_postcode=0.14, wrong_sex=0.002, copies=0.0,
)  # fmt: skip
PRISON = Habits(
    slip=0.020, date_slip=0.014, familiar=0.02, swapped=0.004, no_second_forename=0.30, half_a_double_name=0.18,
    mark_lost=0.35, no_diacritics=0.8, upper_case=True, no_birth_date=0.004, stand_in_birth_date=0.003,
    no_postcode=0.28, wrong_sex=0.003, copies=0.5,
)  # fmt: skip
PROBATION = Habits(
    slip=0.018, date_slip=0.012, familiar=0.03, swapped=0.004, no_second_forename=0.35, half_a_double_name=0.15,
    mark_lost=0.30, no_diacritics=0.6, upper_case=False, no_birth_date=0.006, stand_in_birth_date=0.003,
    no_postcode=0.09, wrong_sex=0.003, copies=0.55,
)  # fmt: skip
PROVIDER = Habits(
    slip=0.025, date_slip=0.012, familiar=0.09, swapped=0.006, no_second_forename=0.75, half_a_double_name=0.20,
    mark_lost=0.25, no_diacritics=0.5, upper_case=False, no_birth_date=0.012, stand_in_birth_date=0.004,
    no_postcode=0.45, wrong_sex=0.004, copies=0.25,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Identities:
    """What each record says. Names are ids in the pool; dates days or MISSING; codes positions in their lists."""

    forename1: Ids
    forename2: Ids
    surname: Ids
    aliases: Ids
    born: Days
    sex: Codes
    ethnicity: Codes
    nationality: Codes
    place: Places

    def __len__(self) -> int:
        return len(self.born)

    def take(self, who: npt.NDArray[np.integer] | Booleans) -> Identities:
        """Some of them."""
        return Identities(*(getattr(self, f.name)[who] for f in fields(self)))


def nobody() -> Identities:
    """No record."""
    none32, none8 = np.zeros(0, np.int32), np.zeros(0, np.int8)
    return Identities(none32, none32, none32, none32, none32, none8, none8, none8, np.zeros(0, np.int64))


def record(
    rng: np.random.Generator,
    pool: StringPool,
    people: People,
    *,
    person: Integers,
    first_day: Days,
    habits: Habits,
    earlier: Identities,
    copy_of: npt.NDArray[np.int64],
) -> Identities:
    """The identity in each new record. `copy_of` is the position in `earlier` that may be copied, or NO_COPY."""
    truth = _true_identities(rng, pool, people, person, first_day)
    base = _copied(rng, truth, earlier, copy_of, habits.copies)
    mess = people.messiness[person]
    custom = np.array([_SWAPPED_BY_CUSTOM.get(g.pattern, 1.0) for g in origins()])[people.origin[person]]
    forename1, forename2, surname = _written_names(rng, pool, base, habits, mess, custom)
    return Identities(
        forename1=forename1,
        forename2=forename2,
        surname=surname,
        aliases=_cased(pool, base.aliases, habits),
        born=_written_birth(rng, base.born, habits, mess),
        sex=_written_sex(rng, base.sex, habits),
        ethnicity=_written_ethnicity(rng, base.ethnicity),
        nationality=np.where(rng.random(len(mess)) < 0.05, 2, base.nationality).astype(np.int8),
        place=_written_place(rng, base.place, people.homeless[person], habits, mess),
    )


def known_birth(people: People, person: Integers) -> Days:
    """The birth date that officials know: for some without papers, 1 January of the same year in every source."""
    born = people.born[person]
    return np.where(people.birthday_known[person], born, first_of_january(born)).astype(np.int32)


def _true_identities(
    rng: np.random.Generator, pool: StringPool, people: People, person: Integers, first_day: Days
) -> Identities:
    size = len(person)
    wed = (people.married[person] != MISSING) & (people.married[person] <= first_day)
    new_name = wed & (people.married_surname[person] >= 0) & (rng.random(size) < _MOVES_WITH_MARRIAGE)
    surname = np.where(new_name, people.married_surname[person], people.surname[person]).astype(np.int32)
    address = ((first_day - people.onset[person]) / 365.25 / _YEARS_AT_ADDRESS).astype(np.int64)
    return Identities(
        forename1=people.forename1[person],
        forename2=people.forename2[person],
        surname=surname,
        aliases=_known_aliases(rng, pool, people, person, new_name, wed),
        born=known_birth(people, person),
        sex=np.where(people.female[person], 2, 1).astype(np.int8),
        ethnicity=people.ethnicity[person],
        nationality=people.foreign[person].astype(np.int8),
        place=people.places[person, address.clip(0, ADDRESSES - 1)],
    )


def _known_aliases(
    rng: np.random.Generator, pool: StringPool, people: People, person: Integers, new_name: Booleans, wed: Booleans
) -> Ids:
    """The name before marriage (or after), and a name used to mislead, each where this record has heard of it."""
    size = len(person)
    other = np.where(new_name, people.surname[person], people.married_surname[person])
    heard = wed & (other >= 0) & (rng.random(size) < 0.55)
    maiden = np.full(size, NO_TEXT, np.int32)
    maiden[heard] = pool.join(people.forename1[person[heard]], other[heard].astype(np.int32), " ")
    told = (people.alias_surname[person] >= 0) & (rng.random(size) < 0.6)
    false = np.full(size, NO_TEXT, np.int32)
    false[told] = pool.join(people.alias_forename[person[told]], people.alias_surname[person[told]], " ")
    both = np.flatnonzero((maiden >= 0) & (false >= 0))
    result = np.where(maiden >= 0, maiden, false).astype(np.int32)
    result[both] = pool.join(maiden[both], false[both], "; ")
    return result


def _copied(
    rng: np.random.Generator, truth: Identities, earlier: Identities, copy_of: npt.NDArray[np.int64], share: float
) -> Identities:
    """Name and birth date of the earlier record where a clerk copied it; aliases and address are asked anew."""
    copies = np.flatnonzero((copy_of >= 0) & (rng.random(len(copy_of)) < share))
    values = {f.name: getattr(truth, f.name).copy() for f in fields(Identities)}
    for name in ("forename1", "forename2", "surname", "born", "sex"):
        values[name][copies] = getattr(earlier, name)[copy_of[copies]]
    return Identities(**values)


def _written_names(
    rng: np.random.Generator, pool: StringPool, base: Identities, habits: Habits, mess: Floats, custom: Floats
) -> tuple[Ids, Ids, Ids]:
    size = len(base)
    first, second, last = base.forename1.copy(), base.forename2.copy(), base.surname.copy()
    _change(first, rng.random(size) < habits.familiar, lambda ids: familiar(rng, pool, ids))
    second[rng.random(size) < habits.no_second_forename] = NO_TEXT
    dropped = (second >= 0) & (rng.random(size) < 0.012 * mess)  # called by the second forename
    first[dropped], second[dropped] = second[dropped], NO_TEXT
    last = _double_names(rng, pool, last, habits)
    for names in (first, second, last):
        _change(names, rng.random(size) < habits.slip * mess, lambda ids: slipped(rng, pool, ids))
    swapped = rng.random(size) < habits.swapped * mess * custom
    first[swapped], last[swapped] = last[swapped], first[swapped].copy()
    plain = rng.random(size) < habits.no_diacritics
    for names in (first, second, last):
        _change(names, plain, lambda ids: pool.map(ids, plain_letters))
    return _cased(pool, first, habits), _cased(pool, second, habits), _cased(pool, last, habits)


def _double_names(rng: np.random.Generator, pool: StringPool, last: Ids, habits: Habits) -> Ids:
    """One half only, a hyphen become a blank, an apostrophe gone or a blank."""
    result = last.copy()
    marked = np.flatnonzero(holds_mark(pool, last, "-' "))
    drawn = rng.random(len(marked))
    half = drawn < habits.half_a_double_name
    keep_last = (rng.random(len(marked)) < 0.6).astype(np.int32)
    result[marked[half]] = pool.combine(last[marked[half]], keep_last[half], _half)
    lost = ~half & (rng.random(len(marked)) < habits.mark_lost)
    way = rng.integers(0, 2, int(lost.sum())).astype(np.int32)
    result[marked[lost]] = pool.combine(last[marked[lost]], way, _without_mark)
    return result


def _half(name: str, keep_last: int) -> str:
    if "-" not in name and name.count(" ") != 1:
        return name
    parts = name.replace("-", " ").split()
    chosen = parts[-1 if keep_last else 0]
    return chosen if len(parts) > 1 and min(len(p) for p in parts) > 3 else name


def _without_mark(name: str, way: int) -> str:
    if "'" in name:
        return name.replace("'", "" if way else " ")
    return name.replace("-", " ")


def _cased(pool: StringPool, ids: Ids, habits: Habits) -> Ids:
    return pool.map(ids, str.upper) if habits.upper_case else pool.map(ids, _title)


def _title(text: str) -> str:
    """Small letters again where a name was copied from a system of capitals; O'Brien and Al-Ali keep theirs."""
    return _capitalised(text) if text.isupper() else text


def _capitalised(text: str) -> str:
    return "".join(c if i == 0 or text[i - 1] in " -'" else c.lower() for i, c in enumerate(text))


def _written_birth(rng: np.random.Generator, born: Days, habits: Habits, mess: Floats) -> Days:
    result, drawn = born.copy(), rng.random(len(born))
    known = born != MISSING
    edges = np.cumsum([0.35, 0.25, 0.40]) * habits.date_slip
    _change(result, known & (drawn < edges[0] * mess), swap_day_and_month)
    _change(result, known & (drawn >= edges[0] * mess) & (drawn < edges[1] * mess), first_of_january)
    _change(
        result, known & (drawn >= edges[1] * mess) & (drawn < edges[2] * mess), lambda days: mistyped_date(rng, days)
    )
    stand_in = rng.random(len(born)) < habits.stand_in_birth_date * mess
    result[stand_in] = np.array(_STAND_INS, np.int32)[rng.integers(0, 2, int(stand_in.sum()))]
    result[rng.random(len(born)) < habits.no_birth_date * mess] = MISSING
    return result


def _written_sex(rng: np.random.Generator, sex: Codes, habits: Habits) -> Codes:
    drawn = rng.random(len(sex))
    other = np.where(sex == 1, 2, 1)
    return np.select([drawn < habits.wrong_sex, drawn < 2 * habits.wrong_sex], [other, 0], sex).astype(np.int8)


def _written_ethnicity(rng: np.random.Generator, ethnicity: Codes) -> Codes:
    """As another officer sees it: now and then another code, or not stated."""
    codes = ethnicities()
    drawn = rng.random(len(ethnicity))
    other = rng.integers(0, len(codes), len(ethnicity))
    return np.select([drawn < 0.02, drawn < 0.06], [other, codes.index("NS")], ethnicity).astype(np.int8)


def _written_place(rng: np.random.Generator, place: Places, homeless: Booleans, habits: Habits, mess: Floats) -> Places:
    size = len(place)
    result = np.where(rng.random(size) < 0.02 * mess, mistyped(rng, place), place)
    missing = rng.random(size) < np.where(homeless, 0.6, habits.no_postcode)
    return np.where(missing, NOWHERE, result)


def _change(values: npt.NDArray[np.int32], who: Booleans, change: object) -> None:
    """Change some of `values` in place."""
    positions = np.flatnonzero(who)
    if len(positions) and callable(change):
        values[positions] = change(values[positions])
