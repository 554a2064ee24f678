"""What a published report says of its headline, read back from its bytes: nothing else of a run is looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from counterfoil.disclosure import Verdict
from counterfoil.errors import Refused

RATE = "rate"  # the unit of a measure whose difference is in percentage points


@dataclass(frozen=True, slots=True)
class Headline:
    """The headline measure. Difference and ends: points for a rate, else the unit. None where a rule hides it."""

    measure: str
    label: str
    unit: str
    people: Decimal | None  # matched people who took part
    difference: Decimal | None
    low: Decimal | None
    high: Decimal | None

    @property
    def is_shown(self) -> bool:
        """Whether there is a difference with both its ends."""
        return None not in (self.difference, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Said:
    """What a report says first, in a language that it was approved in."""

    language: str
    sentence: str
    caveats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """A report's own account. `translations`: what it says in further languages; `headline`: None for a refusal.

    `texts` and `numbers` are all that it holds (R22).
    """

    title: str
    provider: str
    verdict: Verdict
    said: Said
    translations: tuple[Said, ...]
    reliable: bool
    refused: str  # the rule that stopped it, or nothing
    headline: Headline | None
    asked: tuple[object, ...]  # what must be the same for two results to be of one thing; empty where it is not known
    texts: frozenset[str]
    numbers: frozenset[Decimal]

    @property
    def language(self) -> str:
        """Of the report; of its title in every language."""
        return self.said.language

    @property
    def given(self) -> tuple[str, ...]:
        """What a page says in its own language where it can: the headline's label and unit."""
        return () if self.headline is None else (self.headline.label, self.headline.unit)

    def said_in(self, language: str) -> Said:
        """What it says in a language, or else in its own."""
        return next((each for each in self.translations if each.language == language), self.said)


def read_result(data: bytes) -> Result:
    """The result in the bytes of a report.json. Refused (R29) when it is none."""
    try:
        said = json.loads(data, parse_float=Decimal, parse_int=Decimal)
        return _result(said)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Refused("The report.json of a published report cannot be read. Restore public/published.", rule="R29") \
            from error  # fmt: skip


def _result(said: Mapping[str, Any]) -> Result:
    about, refused = said["about"], said.get("refused")
    headline = None if refused else _headline(said["measures"][0])
    return Result(
        title=str(about["title"]),
        provider=str(about["provider"]),
        verdict=Verdict(said["verdict"]),
        said=Said(
            str(about["language"]),
            str(refused["reason"] if refused else said["headline"]),
            tuple(said.get("caveats", ())),
        ),
        translations=tuple(_translations(said)),
        reliable=bool(said.get("reliable", False)),
        refused=str(refused["rule"]) if refused else "",
        headline=headline,
        asked=_asked(said),
        texts=frozenset(value for value in _walk(said) if isinstance(value, str)),
        numbers=frozenset(abs(value) for value in _walk(said) if isinstance(value, Decimal)),
    )


def _translations(said: Mapping[str, Any]) -> Iterator[Said]:
    for language, there in said.get("translations", {}).items():
        if not there["foreign"]:
            yield Said(str(language), str(there["headline"]), tuple(there["caveats"]))


def _headline(measure: Mapping[str, Any]) -> Headline:
    return Headline(
        measure=measure["measure"],
        label=measure["label"],
        unit=measure["unit"],
        people=measure["treated"]["n"],
        difference=measure["difference"],
        low=measure["low"],
        high=measure["high"],
    )


def _asked(said: Mapping[str, Any]) -> tuple[object, ...]:
    """The headline's definition, the question that is answered, and how events were followed."""
    asked = said["about"].get(
        "asked"
    )  # follow-up, waiting, start, events, design; absent in reports of earlier versions
    if said.get("refused") or not asked:
        return ()
    first, followed = said["measures"][0], tuple(sorted((key, str(value)) for key, value in asked.items()))
    return first["measure"], first["label"], first["unit"], said["estimand"]["achieved"], followed


def _walk(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from _walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item)
    else:
        yield value
