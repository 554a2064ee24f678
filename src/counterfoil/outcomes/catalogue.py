"""Every measure that a lab can be asked for: the domain's and those of its shares, read from their `measures.toml`.

A measure is data: its words, the table that holds what happened and what a person's rows of it come to. Nothing here
knows what is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from counterfoil.domains import load
from counterfoil.domains.shares import load_shares
from counterfoil.errors import UsageError
from counterfoil.outcomes.measures import Better, Measure, Support
from counterfoil.units import Kind

ALL = "all"  # every measure of the domain that is in a set
PERIODS = {12: "One-year", 24: "Two-year"}


@dataclass(frozen=True, slots=True)
class Definition:
    """A measure and how it is taken: `value` is SQL over a person's rows of `table`."""

    measure: Measure
    table: str
    value: str
    words: str
    needs: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    follow_up_months: int | None = None  # None: the plan's
    waiting_months: int | None = None
    none_is_zero: bool = True  # for a person without rows; else nothing is measured of that person
    weights: str = ""  # list of codes for which the lab must give weights
    share: str = ""  # the share it is measured from; "": the register
    family: bool = False  # one of many that `each` made

    def labelled(self, follow_up_months: int) -> Measure:
        """The measure with the follow-up in its label."""
        months = self.follow_up_months or follow_up_months
        period = PERIODS.get(months, f"{months}-month")
        return replace(self.measure, label=self.measure.label.replace("{period}", period))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The definitions by name, in the order of the files: the domain's, then each share's."""

    definitions: Mapping[str, Definition]

    def sets(self) -> Mapping[str, tuple[str, ...]]:
        """What a plan can ask for by one name, and the measures that each name stands for."""
        made: dict[str, list[str]] = {}
        for name, one in self.definitions.items():
            for each in one.sets:
                made.setdefault(each, []).append(name)
        own = [name for name, one in self.definitions.items() if one.sets and not one.share]
        return {**{name: tuple(names) for name, names in made.items()}, ALL: tuple(own)}

    def resolve(self, asked: Sequence[str]) -> tuple[str, ...]:
        """Names of measures and of sets as measures, each once, in the order asked. UsageError: what is unknown."""
        sets = self.sets()
        if problems := self.unknown(asked):
            raise UsageError(*problems)
        return tuple(dict.fromkeys(name for each in asked for name in sets.get(each, (each,))))

    def unknown(self, asked: Sequence[str]) -> list[str]:
        """A sentence for each name that is neither a measure nor a set."""
        sets = self.sets()
        single = [name for name, one in self.definitions.items() if not one.family]
        return [
            f"`outcomes.measures` names `{name}`, which this lab does not measure. It measures: "
            f"{', '.join(sorted(single))}; and the sets {', '.join(sorted(sets))}."
            for name in asked
            if name not in self.definitions and name not in sets
        ]

    def with_exposures(self, names: Sequence[str]) -> tuple[str, ...]:
        """The measures, and after them the columns that say how long people were at risk."""
        beside = [self.definitions[name].measure.exposure for name in names]
        return tuple(dict.fromkeys((*names, *(name for name in beside if name))))


@cache
def catalogue_of(domain: str) -> Catalogue:
    """Every measure of a domain and its shares. A name must be given once."""
    found = load(domain)
    made = [one for raw in found.measures for one in _each(raw, found.codes)]
    for share in load_shares(domain).values():
        made += [one for raw in share.measures for one in _each({**raw, "share": share.name}, found.codes)]
    definitions = {one.measure.name: one for one in made}
    sets = {name for one in made for name in one.sets}
    if len(definitions) < len(made) or sets & definitions.keys():
        raise UsageError(f"Two measures of the domain {domain} have one name, or a set has a measure's name.")
    return Catalogue(definitions)


def _each(raw: Mapping[str, Any], codes: Mapping[str, Mapping[str, str]]) -> Iterator[Definition]:
    """One definition, or with `each` one for every code of a list."""
    each = raw.get("each")
    if each is None:
        yield _definition(raw)
        return
    for code, label in (codes[each] if isinstance(each, str) else each).items():
        filled = {key: _filled(value, code, label) for key, value in raw.items()}
        yield replace(_definition(filled), family=True)


def _filled(value: Any, code: str, label: str) -> Any:
    return value.replace("{code}", code).replace("{label}", label) if isinstance(value, str) else value


def _definition(raw: Mapping[str, Any]) -> Definition:
    return Definition(
        measure=_measure(raw),
        table=raw["table"],
        value=raw["value"],
        words=raw["definition"],
        needs=tuple(raw.get("needs", ())),
        sets=tuple(raw["sets"]),
        follow_up_months=_months(raw.get("follow_up_months")),
        waiting_months=_months(raw.get("waiting_months")),
        none_is_zero=raw.get("none") != "not measured" and Support(raw["support"]) is Support.ALL,
        weights=raw.get("weights", ""),
        share=raw.get("share", ""),
    )


def _months(value: Any) -> int | None:
    return None if value is None else int(value)


def _measure(raw: Mapping[str, Any]) -> Measure:
    return Measure(
        name=raw["name"],
        label=raw["label"],
        kind=Kind(raw["kind"]),
        support=Support(raw["support"]),
        better=Better(raw["better"]),
        unit=raw["unit"],
        noun=raw["noun"],
        decimals=raw.get("decimals", 2),
        exposure=raw.get("exposure", ""),
        over=raw.get("over", ""),
        part_of=raw.get("part_of", ""),
        sum_of=tuple(raw.get("sum_of", ())),
    )
