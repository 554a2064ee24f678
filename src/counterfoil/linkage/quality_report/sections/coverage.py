# ruff: noqa: E501  (what the page says is easier to read in one line)
"""Of the people who could be in a share, how many are linked, and what people ruled of its links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from counterfoil.linkage.quality_report.charts import ChartData, Kind, Row
from counterfoil.linkage.quality_report.sections.parts import Section, Table, count, interval, numbers

MOST_YEARS = 30  # bars of one picture; above it five years are one
_PARTS = {"by_sex": "sex", "by_source": "with a record in", "by_birth_year": "born in"}


def coverage_section(report: Mapping[str, Any]) -> Section:
    """Each share; a report of an earlier version, and a lab without a share, has none."""
    found = {name: each for name, each in report.get("products", {}).items() if each.get("coverage")}
    title = "Coverage of each share"
    if not found:
        return Section("coverage", title, ("No share of another department is linked to this spine.",))
    words = (
        "Of the people of the spine who could be in the share, the part who are linked to it, with 95% intervals. Who is not linked was missed, or is not in the share: nothing tells the two apart, so this is no recall. "
        "An analysis of the share speaks of those who are linked; where a group is covered less than another, say so beside its results.",
        *(f"{name}: {each['coverage']['who']}." for name, each in found.items()),
    )
    sexes = report.get("groups", {}).get("words", {}).get("sex", {})
    tables = tuple(table for name, each in found.items() for table in _tables(name, each, sexes))
    charts = tuple(chart for name, each in found.items() for chart in _charts(name, each["coverage"]))
    return Section("coverage", title, words, charts, tables)


def _tables(name: str, product: Mapping[str, Any], sexes: Mapping[str, str]) -> Iterator[Table]:
    coverage, ruled = product["coverage"], product["overrides"]
    rows = [_row("everybody who could be in it", coverage["all"])]
    for part in ("by_sex", "by_source"):
        called = sexes if part == "by_sex" else {}
        rows += [_row(f"{_PARTS[part]}: {called.get(value, value)}", found) for value, found in coverage[part].items()]
    if coverage["born_from"] is not None:
        rows.append(_row("without a birth date, so not counted above", coverage["without_birth_date"]))
        rows.append(_row("born too early to be in it", coverage["outside"]))
    columns = ("People of the spine", "People", "Linked", "Covered")
    yield Table(f"{name}: who is covered", columns, tuple(rows), numbers(1, 2, 3))
    years = tuple(_row(year, found) for year, found in coverage["by_birth_year"].items())
    yield Table(f"{name}: by year of birth", ("Born in", *columns[1:]), years, numbers(1, 2, 3), is_folded=True)
    said = (
        ("ruled the same", "must_link"),
        ("ruled different", "must_not_link"),
        ("that contradict each other", "contradictions"),
        ("of records that are not delivered any more", "of_absent_records"),
    )
    yield Table(
        f"{name}: overrides that the link obeyed", ("Records of the share", "How many"),
        tuple((words, count(ruled[key])) for words, key in said), numbers(1),
    )  # fmt: skip


def _row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    return name, count(found["people"]), count(found["linked"]), interval(found["share"])


def _charts(name: str, coverage: Mapping[str, Any]) -> Iterator[ChartData]:
    single = coverage["by_birth_year"]
    years = single if len(single) <= MOST_YEARS else coverage["by_five_years"]
    marks = tuple(
        Row(year, 100 * found["share"]["rate"], 100 * found["share"]["low"], 100 * found["share"]["high"])
        for year, found in years.items() if found["share"]["rate"] is not None
    )  # fmt: skip
    if marks:
        yield ChartData(
            f"coverage-{name.replace(' ', '-')}",
            f"Covered by {name}, by year of birth",
            "Covered, %",
            Kind.INTERVALS,
            marks,
        )
