"""Read a domain's folder of TOML files into frozen values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from counterfoil.errors import UsageError


class ColumnClass(Enum):
    """Who may read a column: the linker identifiers and link evidence, the analyst facts and outcomes (DESIGN 2)."""

    IDENTIFIER = "identifier"
    LINK_EVIDENCE = "link_evidence"
    FACT = "fact"
    OUTCOME = "outcome"


LINKER_CLASSES = frozenset({ColumnClass.IDENTIFIER, ColumnClass.LINK_EVIDENCE})
ANALYST_CLASSES = frozenset({ColumnClass.FACT, ColumnClass.OUTCOME})


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a delivered table."""

    name: str
    type: str  # string date integer decimal boolean code postcode pnc cro prison_number crn
    classes: frozenset[ColumnClass]
    required: bool = False
    codes: str | None = None  # name of a code list
    minimum: int | None = None
    maximum: int | None = None
    fact_as: Mapping[str, str] | None = None  # new fact column -> transform ("month")
    future: bool = False  # a date that may lie after the delivery: planned, not observed
    note: str = ""


@dataclass(frozen=True, slots=True)
class TableSchema:
    """One delivered table. Its column `parent_column` must hold a value of the same column of the table `parent`."""

    name: str
    key: str
    parent: str | None
    columns: Mapping[str, Column]
    parent_column: str | None = None  # the parent's key unless said otherwise
    label: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)  # column that the public catalogue lacks -> why it is here
    absent: Mapping[str, str] = field(default_factory=dict)  # column of the catalogue that is not delivered -> why


@dataclass(frozen=True, slots=True)
class PersonWhen:
    """Which rows of a person table are people: those whose `column` holds none of `organisations`, empty ones too, and
    whose surname does not end in one of `words` (upper case) after another word. One who trades under such a name is a
    person."""

    column: str
    organisations: frozenset[str]
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SourceSchema:
    """One source: its tables, one of which holds people."""

    name: str
    label: str
    person_table: str
    tables: Mapping[str, TableSchema]
    source_dataset: str = ""  # what the public catalogue's linking table calls it
    is_share: bool = False  # of another department: kept apart from the sources and from the spine
    person_when: PersonWhen | None = None  # where companies are among the people: they are told apart on load


@dataclass(frozen=True, slots=True)
class Domain:
    """Everything of one field."""

    name: str
    sources: Mapping[str, SourceSchema]
    codes: Mapping[str, Mapping[str, str]]
    measures: tuple[Mapping[str, Any], ...]  # outcomes.catalogue makes Measures of them
    history: tuple[str, ...] = ()  # tables that outcomes are measured from

    def source(self, name: str) -> SourceSchema:
        """The source called `name`; UsageError lists those there are."""
        if name not in self.sources:
            known = ", ".join(sorted(self.sources))
            raise UsageError(f"There is no source called {name!r}. The sources of this lab are: {known}.")
        return self.sources[name]


def folder(name: str) -> Traversable:
    """The folder of the domain called `name`."""
    place = resources.files("counterfoil.domains") / name
    if not name.isidentifier() or not place.is_dir():
        raise UsageError(f'There is no domain called {name!r}. Set `domain` in lab.toml to "justice".')
    return place


def read_toml(place: Traversable) -> dict[str, Any]:
    """One TOML file of a domain."""
    return tomllib.loads(place.read_text(encoding="utf-8"))


@cache
def load(name: str = "justice") -> Domain:
    """Read the domain called `name`."""
    place = folder(name)
    sources = {
        schema.name: schema
        for file in sorted((place / "sources").iterdir(), key=lambda f: f.name)
        if file.name.endswith(".toml")
        for schema in [parse_source(read_toml(file))]
    }
    measures = read_toml(place / "measures.toml")
    codes = read_toml(place / "codes.toml")
    return Domain(name, sources, codes, tuple(measures["measures"]), tuple(measures["history"]))


def read_scripts(place: Traversable, prefix: str) -> Mapping[int, tuple[str, str]]:
    """The SQL scripts `PREFIX_NN_TABLE.sql` of a folder: NN -> (TABLE, text), in the order of NN."""
    names = sorted(file.name for file in place.iterdir() if file.name.endswith(".sql"))
    named = [[*name.removesuffix(".sql").split("_", 2), name] for name in names if name.startswith(f"{prefix}_")]
    return {int(n): (table, (place / name).read_text(encoding="utf-8")) for _, n, table, name in named}


def parse_source(raw: Mapping[str, Any], *, is_share: bool = False) -> SourceSchema:
    """A source from what its TOML file holds."""
    tables = {name: _table(name, table) for name, table in raw["tables"].items()}
    dataset = raw.get("source_dataset", "")
    when = _person_when(raw["person_when"]) if "person_when" in raw else None
    return SourceSchema(raw["name"], raw["label"], raw["person_table"], tables, dataset, is_share, when)


def _person_when(raw: Mapping[str, Any]) -> PersonWhen:
    """`person_when = { column = "defendant_type", not = ["company"], words = ["LTD"] }`."""
    return PersonWhen(raw["column"], frozenset(raw["not"]), frozenset(raw.get("words", ())))


def _table(name: str, raw: Mapping[str, Any]) -> TableSchema:
    columns = {key: _column(key, dict(value)) for key, value in raw["columns"].items()}
    return TableSchema(
        name=name,
        key=raw["key"],
        parent=raw.get("parent"),
        columns=columns,
        parent_column=raw.get("parent_column"),
        label=raw.get("label", ""),
        extra=raw.get("extra", {}),
        absent=raw.get("absent", {}),
    )


def _column(name: str, raw: dict[str, Any]) -> Column:
    classes = frozenset(ColumnClass(value) for value in raw.pop("class"))
    return Column(name=name, classes=classes, **raw)
