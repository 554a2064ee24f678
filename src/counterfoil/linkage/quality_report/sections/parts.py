"""What a page is made of: sections, tables, and figures as words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from counterfoil.linkage.quality_report.charts import ChartData


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text; `numeric` says which columns hold numbers."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
    is_folded: bool = False  # long: opens on a click, and in print


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page. Never empty: what is not known is said."""

    name: str
    title: str
    words: tuple[str, ...]
    charts: tuple[ChartData, ...] = ()
    tables: tuple[Table, ...] = ()
    items: tuple[tuple[str, tuple[str, ...]], ...] = ()  # headings with paragraphs


LEVELS = ("strict", "medium", "loose")


def per_cent(share: float | None, digits: int = 1) -> str:
    """A share (0-1) as a per cent; a dash when it is not known."""
    return "–" if share is None else f"{100 * share:.{digits}f}%"


def interval(rate: Mapping[str, Any] | None) -> str:
    """A rate (0-1) as a per cent, with its interval where it has one."""
    if rate is None or rate.get("rate") is None:
        return "–"
    if rate.get("low") is None:
        return per_cent(rate["rate"], 2)
    return f"{per_cent(rate['rate'], 2)} ({100 * rate['low']:.2f} to {100 * rate['high']:.2f})"


def count(number: float | None) -> str:
    """A number with commas; a dash when it is not known."""
    return "–" if number is None else f"{number:,.0f}"


def numbers(*columns: int) -> frozenset[int]:
    """Which columns of a table hold numbers."""
    return frozenset(columns)


def shortened(text: str, most: int = 60) -> str:
    """As a label of a picture."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


_IDENTIFIERS = {
    "full_parts_sorted": "all names",
    "dob": "birth date",
    "forename1_std": "first forename",
    "surname_std": "surname",
    "sex_std": "sex",
    "postcode_std": "postcode",
    "outcode": "postcode area",
    "pnc_std": "PNC number",
    "cro_std": "CRO number",
    "crn_std": "case reference number",
    "prison_number_std": "prison number",
}


def identifier(column: str) -> str:
    """What people call a column of the prepared records."""
    return _IDENTIFIERS.get(column, column.removesuffix("_std").replace("_", " "))
