"""The hand-written tables of the population, read from TOML: forenames, surnames, customs of naming, places."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt


class Pattern(Enum):
    """How the parts of a name are put together."""

    PLAIN = "plain"
    MOHAMMED_FIRST = "mohammed_first"  # many men carry Mohammed first and are called by the second name
    SYLHETI = "sylheti"  # no family name: a wife or child has another last name
    SINGH_KAUR = "singh_kaur"  # Singh or Kaur as last name, or in the middle
    THREE_PART = "three_part"  # own, father's and grandfather's name
    ARABIC = "arabic"  # al-, El, bin
    DOUBLE_SURNAME = "double_surname"  # mother's and father's, with de, da, dos
    TWO_SYLLABLE = "two_syllable"
    VIETNAMESE = "vietnamese"  # family name first: order is easily swapped
    POLISH = "polish"  # -ski, -ska


@dataclass(frozen=True, slots=True)
class Origin:
    """A group of people who name their children alike."""

    name: str
    share: float  # of people with a record
    messiness: float  # multiplies how often an identifier goes wrong
    young: float  # how much larger the share is among those born later
    foreign: float  # share who are foreign nationals
    from_year: int  # nobody of the group has a record before
    ethnicity: Mapping[str, int]
    pattern: Pattern
    male: str
    female: str
    surnames: str
    female_surnames: str


@dataclass(frozen=True, slots=True)
class DatedName:
    """A forename and the years in which it was given."""

    name: str
    peak: float  # year of birth
    spread: float  # years, one standard deviation
    height: float  # births in a thousand at the peak


@dataclass(frozen=True, slots=True)
class Region:
    """A region of England, or Wales, and its postcode areas with weights."""

    code: str
    weight: float
    areas: tuple[str, ...]
    area_weights: tuple[float, ...]


def read(name: str) -> dict[str, Any]:
    """One table file."""
    place = resources.files("counterfoil.population") / "tables" / name
    return tomllib.loads(place.read_text(encoding="utf-8"))


@cache
def origins() -> tuple[Origin, ...]:
    """Every group, in the order of the file."""
    return tuple(
        Origin(
            name=name,
            share=raw["share"],
            messiness=raw["messiness"],
            young=raw["young"],
            foreign=raw["foreign"],
            from_year=raw.get("from_year", 0),
            ethnicity=raw["ethnicity"],
            pattern=Pattern(raw.get("pattern", "plain")),
            male=raw["male"],
            female=raw["female"],
            surnames=raw["surnames"],
            female_surnames=raw.get("female_surnames", raw["surnames"]),
        )
        for name, raw in read("origins.toml").items()
    )


@cache
def dated_forenames() -> Mapping[str, tuple[DatedName, ...]]:
    """English forenames by "male" and "female"."""
    raw = read("forenames.toml")
    return {sex: tuple(_dated(entry) for entry in raw[sex].split()) for sex in ("male", "female")}


@cache
def familiar_forms() -> Mapping[str, tuple[str, ...]]:
    """Familiar and variant forms of a forename."""
    pairs = (entry.split(":") for entry in read("forenames.toml")["familiar"].split())
    return {name: tuple(forms.split(",")) for name, forms in pairs}


@cache
def regions() -> tuple[Region, ...]:
    """Every region, in the order of the file."""
    return tuple(_region(code, raw) for code, raw in read("places.toml")["regions"].items())


def ranked(words: str) -> tuple[tuple[str, ...], npt.NDArray[np.float64]]:
    """Words of a list, "faker:LOCALE:ATTRIBUTE" standing for a list of that package, with weights 1/(rank + 3)."""
    found: dict[str, None] = {}
    for word in words.split():
        found.update(dict.fromkeys(faker_list(word) if word.startswith("faker:") else [word]))
    weights = 1.0 / (np.arange(len(found)) + 4.0)
    return tuple(found), weights / weights.sum()


def faker_list(reference: str) -> tuple[str, ...]:
    """A list of names of the Faker package in its own order; only those in Latin letters and of one word."""
    return tuple(name for name in _faker(reference) if name[0].isalpha() and name.isprintable() and " " not in name)


def faker_weights(reference: str) -> Mapping[str, float]:
    """A list of names of the Faker package that carries weights."""
    return {name: float(weight) for name, weight in _faker(reference).items()}


def _faker(reference: str) -> Any:
    _, locale, attribute = reference.split(":")
    return getattr(importlib.import_module(f"faker.providers.person.{locale}").Provider, attribute)


def _dated(entry: str) -> DatedName:
    name, peak, spread, height = entry.split(":")
    return DatedName(name, float(peak), float(spread), float(height))


def _region(code: str, raw: Mapping[str, Any]) -> Region:
    pairs = [entry.split(":") for entry in raw["areas"].split()]
    return Region(code, raw["weight"], tuple(a for a, _ in pairs), tuple(float(w) for _, w in pairs))
