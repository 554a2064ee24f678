"""Names whose frequency, sex, year of birth and custom hang together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from counterfoil.population.draws import Floats, pick
from counterfoil.population.strings import NO_TEXT, Ids, StringPool
from counterfoil.population.tables import (
    Origin,
    Pattern,
    dated_forenames,
    faker_list,
    faker_weights,
    origins,
    ranked,
    read,
)

Booleans = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

_BIN_YEARS = 4  # people born within four years share a table of forenames
_RARE_SHARE = 0.06  # of English forenames come from long lists without years
_IRISH_IN_BRITAIN = 85.0  # of a thousand surnames
_TAIL_TOTAL = 1000.0
_OWN_LIST_SHARE = 0.4  # where a group uses English names and its own
_MIDDLE_NAME = 0.55  # have a second forename


@dataclass(frozen=True, slots=True)
class Names:
    """Ids in a StringPool, one a person. `forename2` may be NO_TEXT."""

    forename1: Ids
    forename2: Ids
    surname: Ids


@dataclass(frozen=True, slots=True)
class NameList:
    """Names and how often each is given."""

    ids: Ids
    weights: Floats

    def draw(self, rng: np.random.Generator, size: int) -> Ids:
        """That many names."""
        return self.ids[pick(rng, self.weights, size)]


def draw_names(
    rng: np.random.Generator, pool: StringPool, *, origin: Integers, female: Booleans, birth_year: Integers
) -> Names:
    """A name at birth for each person."""
    size = len(origin)
    forename1, forename2 = np.full(size, NO_TEXT, np.int32), np.full(size, NO_TEXT, np.int32)
    surname = np.full(size, NO_TEXT, np.int32)
    for number, group in enumerate(origins()):
        for is_female in (False, True):
            who = np.flatnonzero((origin == number) & (female == is_female))
            drawn = _group_names(rng, pool, group, birth_year[who], is_female=is_female)
            forename1[who], forename2[who], surname[who] = drawn.forename1, drawn.forename2, drawn.surname
    return Names(forename1, forename2, surname)


def draw_surnames(rng: np.random.Generator, pool: StringPool, origin: Integers) -> Ids:
    """Another surname of the same custom for each person, as taken at marriage or as a second family name."""
    result = np.full(len(origin), NO_TEXT, np.int32)
    for number, group in enumerate(origins()):
        who = np.flatnonzero(origin == number)
        result[who] = _surnames(pool, group.surnames).draw(rng, len(who))
    return result


def _group_names(
    rng: np.random.Generator, pool: StringPool, group: Origin, birth_year: Integers, *, is_female: bool
) -> Names:
    size = len(birth_year)
    spec = group.female if is_female else group.male
    first = _forenames(rng, pool, spec, birth_year, is_female=is_female)
    second = _forenames(rng, pool, spec, birth_year - 12, is_female=is_female)
    second[(rng.random(size) >= _MIDDLE_NAME) | (second == first)] = NO_TEXT
    last = _surnames(pool, group.female_surnames if is_female else group.surnames).draw(rng, size)
    plain = Names(first, second, last)
    return _SHAPES[group.pattern](_Given(rng, pool, plain, is_female))


def _forenames(rng: np.random.Generator, pool: StringPool, spec: str, birth_year: Integers, *, is_female: bool) -> Ids:
    own = [word for word in spec.split() if word != "english"]
    if len(own) == len(spec.split()):
        return _ranked(pool, spec).draw(rng, len(birth_year))
    result = np.full(len(birth_year), NO_TEXT, np.int32)
    bins = birth_year // _BIN_YEARS
    for number in np.unique(bins):
        who = np.flatnonzero(bins == number)
        result[who] = _english(pool, number * _BIN_YEARS + _BIN_YEARS / 2, is_female=is_female).draw(rng, len(who))
    if own:
        who = np.flatnonzero(rng.random(len(birth_year)) < _OWN_LIST_SHARE)
        result[who] = _ranked(pool, " ".join(own)).draw(rng, len(who))
    return result


def _ranked(pool: StringPool, spec: str) -> NameList:
    words, weights = ranked(spec)
    return NameList(pool.ids(words), weights)


def _english(pool: StringPool, year: float, *, is_female: bool) -> NameList:
    """English forenames as given around `year`: those with known peaks, and a thin spread of rare ones."""
    sex = "female" if is_female else "male"
    weights: dict[str, float] = {}
    for entry in dated_forenames()[sex]:
        height = entry.height * np.exp(-(((year - entry.peak) / entry.spread) ** 2) / 2) + 0.01
        weights[entry.name] = weights.get(entry.name, 0.0) + float(height)
    rare = [*faker_list(f"faker:en_GB:first_names_{sex}"), *faker_list(f"faker:en_IE:first_names_{sex}")]
    each = sum(weights.values()) * _RARE_SHARE / len(rare)
    for name in rare:
        weights[name] = weights.get(name, 0.0) + each
    return NameList(pool.ids(weights), np.array(list(weights.values())))


def _surnames(pool: StringPool, spec: str) -> NameList:
    if spec == "british":
        weights = british_surnames()
        return NameList(pool.ids(weights), np.array(list(weights.values())))
    if spec in {"irish", "caribbean"}:
        return _ranked(pool, _RANKED_TABLES[spec]())
    return _ranked(pool, spec)


def _irish_list() -> str:
    raw = read("surnames.toml")
    return f"{raw['irish']} {raw['irish_prefixed']} faker:en_IE:last_names"


def _caribbean_list() -> str:
    return str(read("surnames.toml")["caribbean"]) + " faker:en_GB:last_names"


_RANKED_TABLES = {"irish": _irish_list, "caribbean": _caribbean_list}


def british_surnames() -> dict[str, float]:
    """Surnames of Britain with shares of a thousand people: the common ones by figure, then a long thin tail."""
    raw = read("surnames.toml")
    weights = {name: share * 10 for name, share in faker_weights("faker:en_GB:last_names").items()}
    weights |= _weighted(raw["head"]) | _weighted(raw["saints"].replace("St ", "St_").replace(" der ", "_der_"))
    for name, weight in zip(*ranked(_irish_list()), strict=True):
        weights[name] = weights.get(name, 0.0) + float(weight) * _IRISH_IN_BRITAIN
    tail = [f"{stem}{ending}" for ending in raw["endings"].split() for stem in raw["stems"].split()]
    order = np.random.default_rng(len(tail)).permutation(
        len(tail)
    )  # which of the tail are less rare: any order will do
    thin = 1.0 / (np.arange(len(tail)) + 120.0)
    thin *= (_TAIL_TOTAL - sum(weights.values())) / thin.sum()
    for place, weight in zip(order, thin, strict=True):
        weights[tail[place]] = weights.get(tail[place], 0.0) + float(weight)
    return {name.replace("_", " "): weight for name, weight in weights.items()}


def _weighted(entries: str) -> dict[str, float]:
    joined = entries.replace("St. ", "St._").replace("de ", "de_").replace("Van ", "Van_").replace("ap ", "ap_")
    return {name: float(weight) for name, weight in (entry.split(":") for entry in joined.split())}


# How each custom puts a name together.


@dataclass(frozen=True, slots=True)
class _Given:
    """Names of people of one sex and custom, before they are put together."""

    rng: np.random.Generator
    pool: StringPool
    names: Names
    is_female: bool


def _plain(given: _Given) -> Names:
    return given.names


def _mohammed_first(given: _Given) -> Names:
    if given.is_female:
        return given.names
    spelling = given.pool.ids(["Mohammed", "Mohammad", "Muhammad", "Mohamed", "Muhammed"])
    carries = given.rng.random(len(given.names.forename1)) < 0.3
    first = np.where(
        carries, spelling[pick(given.rng, np.array([5.0, 3, 3, 1, 1]), len(carries))], given.names.forename1
    )
    second = np.where(carries, given.names.forename1, given.names.forename2)
    return Names(first.astype(np.int32), second.astype(np.int32), given.names.surname)


def _sylheti(given: _Given) -> Names:
    if given.is_female:
        return given.names
    honorific = given.pool.ids(["Md", "Mohammed", "Abdul", "Syed"])
    carries = given.rng.random(len(given.names.forename1)) < 0.45
    first = np.where(carries, honorific[pick(given.rng, np.array([4.0, 4, 4, 1]), len(carries))], given.names.forename1)
    second = np.where(carries, given.names.forename1, NO_TEXT)
    return Names(first.astype(np.int32), second.astype(np.int32), given.names.surname)


def _singh_kaur(given: _Given) -> Names:
    common = given.pool.id("Kaur" if given.is_female else "Singh")
    as_surname = given.rng.random(len(given.names.forename1)) < 0.6
    second = np.where(as_surname, NO_TEXT, common)
    surname = np.where(as_surname, common, given.names.surname)
    return Names(given.names.forename1, second.astype(np.int32), surname.astype(np.int32))


def _three_part(given: _Given) -> Names:
    """The father's name stands in the middle, always."""
    fathers = _ranked(given.pool, next(o.male for o in origins() if o.pattern is Pattern.THREE_PART))
    return Names(given.names.forename1, fathers.draw(given.rng, len(given.names.forename1)), given.names.surname)


def _arabic(given: _Given) -> Names:
    forms = ("{}", "Al-{}", "El-{}", "Al {}", "Bin {}", "Ben {}")
    form = pick(given.rng, np.array([60.0, 22, 6, 5, 4, 3]), len(given.names.surname)).astype(np.int32)
    return Names(
        given.names.forename1,
        given.names.forename2,
        given.pool.combine(given.names.surname, form, lambda t, f: forms[f].format(t)),
    )


def _double_surname(given: _Given) -> Names:
    other = given.rng.permutation(given.names.surname)
    joins = (" ", " da ", " dos ", " de ", " ")
    join = pick(given.rng, np.array([50.0, 12, 12, 8, 18]), len(other)).astype(np.int32)
    mother = given.pool.combine(given.names.surname, join, lambda t, j: t + joins[j])
    double = given.pool.combine(mother, other, lambda t, o: t + given.pool.text(o))
    keeps_one = given.rng.random(len(other)) < 0.3
    return Names(
        given.names.forename1, given.names.forename2, np.where(keeps_one, given.names.surname, double).astype(np.int32)
    )


def _two_syllable(given: _Given) -> Names:
    joins = ("", "-", " ")
    join = pick(given.rng, np.array([50.0, 15, 35]), len(given.names.surname)).astype(np.int32)
    start = given.pool.combine(given.names.forename1, join, lambda t, j: t + joins[j])
    second = given.rng.permutation(given.names.forename1)
    first = given.pool.combine(
        start, second, lambda t, s: t + (given.pool.text(s) if t[-1] in "- " else given.pool.text(s).lower())
    )
    return Names(first, np.full(len(first), NO_TEXT, np.int32), given.names.surname)


def _vietnamese(given: _Given) -> Names:
    middle = given.pool.ids(["Thi", "Thi", "Ngoc", "Thu"] if given.is_female else ["Van", "Van", "Duc", "Quoc"])
    return Names(
        given.names.forename1, middle[given.rng.integers(0, 4, len(given.names.forename1))], given.names.surname
    )


def _polish(given: _Given) -> Names:
    endings = {"ski": "ska", "cki": "cka", "dzki": "dzka", "ny": "na", "wy": "wa"}

    def feminine(name: str) -> str:
        return next((name[: -len(m)] + f for m, f in endings.items() if name.endswith(m)), name)

    surname = given.pool.map(given.names.surname, feminine) if given.is_female else given.names.surname
    return Names(given.names.forename1, given.names.forename2, surname)


_SHAPES = {
    Pattern.PLAIN: _plain,
    Pattern.MOHAMMED_FIRST: _mohammed_first,
    Pattern.SYLHETI: _sylheti,
    Pattern.SINGH_KAUR: _singh_kaur,
    Pattern.THREE_PART: _three_part,
    Pattern.ARABIC: _arabic,
    Pattern.DOUBLE_SURNAME: _double_surname,
    Pattern.TWO_SYLLABLE: _two_syllable,
    Pattern.VIETNAMESE: _vietnamese,
    Pattern.POLISH: _polish,
}
