# ruff: noqa: E501  (what the page says is easier to read in one line)
"""What the records hold, and which pairs of them were compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from counterfoil.linkage.quality_report.charts import ChartData, Kind, Row
from counterfoil.linkage.quality_report.sections.parts import (
    Section,
    Table,
    count,
    identifier,
    interval,
    numbers,
    per_cent,
    shortened,
)


def completeness_section(report: Mapping[str, Any]) -> Section:
    found = report["completeness"]
    names = sorted({name for shares in found["by_source"].values() for name in shares} - {"records"})
    rows = tuple((identifier(name), *(_held(s.get(name)) for s in found["by_source"].values())) for name in names)
    sources = tuple(found["by_source"])
    marks = tuple(
        Row(identifier(name), 100 * shares[name], series=source)
        for name in names for source, shares in found["by_source"].items() if shares.get(name)
    )  # fmt: skip
    years = tuple(
        (source, year, count(shares["records"]), *(per_cent(shares.get(name)) for name in _MAIN))
        for source, by in found["by_year"].items() for year, shares in by.items()
    )  # fmt: skip
    drift = tuple(
        (r["source"], identifier(r["identifier"]), per_cent(r["before"]), per_cent(r["now"]), f"{100 * r['change']:+.1f}")
        for r in found["drift"] if r["change"]
    )  # fmt: skip
    by_year = (
        Table("By source and year of the record's first event", ("Source", "Year", "Records", *_MAIN_WORDS), years, numbers(2, 3, 4, 5, 6), is_folded=True),
    ) if years else ()  # fmt: skip
    drifts = (
        (
            Table(
                "Against the last spine, where it moved",
                ("Source", "Identifier", "Before", "Now", "Points"),
                drift,
                numbers(2, 3, 4),
            ),
        )
        if drift
        else ()
    )
    no_years = (
        ()
        if years
        else ("No loaded source holds a date of an event on the linker's side, so there is no year to show.",)
    )
    words = (
        "The share of records in which each identifier is there and valid. A drop silently pushes pairs to looser rules.",
        *no_years,
    )
    charts = tuple(
        ChartData(f"complete-{source}", f"Completeness of {source}", "Records that hold it, %", Kind.BARS, tuple(Row(r.label, r.value) for r in marks if r.series == source))
        for source in sources
    )  # fmt: skip
    return Section("completeness", "Completeness of identifiers", words, charts, (
        Table("Valid, by source", ("Identifier", *sources), rows, numbers(*range(1, len(sources) + 1))),
        Table("What each source lacks, and how well its records are found", ("Source", "In no record", "In under half of the records", "Recall at medium"), _lacks(report), numbers(3)),
        *by_year, *drifts,
    ))  # fmt: skip


_FEW = 0.5  # of a source's records


def _held(share: float | None) -> str:
    return "none" if share == 0 else per_cent(share)


def _lacks(report: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """One row a source: what it does not hold, what few of its records hold, and the recall of their pairs."""
    recall = report["groups"]["kinds"].get("source", {})
    rows = []
    for source, shares in report["completeness"]["by_source"].items():
        held = {identifier(name): share for name, share in shares.items() if name != "records" and share is not None}
        none = ", ".join(name for name, share in held.items() if share == 0)
        few = ", ".join(f"{name} ({per_cent(share)})" for name, share in held.items() if 0 < share < _FEW)
        rows.append((source, none or "–", few or "–", interval(recall.get(source, {}).get("recall"))))
    return tuple(rows)


_MAIN = ("full_parts_sorted", "dob", "postcode_std", "pnc_std")


_MAIN_WORDS = ("Name", "Birth date", "Postcode", "PNC number")


def blocking_section(report: Mapping[str, Any]) -> Section:
    rules = report["blocking"]
    rows = tuple(
        (r["rule"], count(r["pairs"]), count(r["largest_block"]), count(r["links"]), count(r["links_only_here"]))
        for r in rules
    )
    chart = ChartData(
        "rules", "Links at medium that each blocking rule finds", "Links", Kind.BARS,
        tuple(Row(shortened(r["rule"]), float(r["links"])) for r in rules),
    )  # fmt: skip
    words = (
        "A pair is compared when one rule finds it, and scored once. “Only here”: links that no other rule would have found.",
        _cut(report.get("hot_blocks", ())),
    )
    columns = ("Rule", "Pairs compared", "Largest block", "Links found", "Only here")
    return Section(
        "blocking",
        "Pairs by blocking rule",
        words,
        (chart,),
        (Table("Blocking rules", columns, rows, numbers(1, 2, 3, 4)),),
    )


def _cut(hot: Sequence[Mapping[str, Any]]) -> str:
    """What was not compared because many records share one value; the value is never said."""
    said = [f"{each['blocks']:,} of {each['rule']}, the largest of {each['largest']:,} records" for each in hot]
    return (
        f"Blocks over their cap, cut by a further column: {'; '.join(said)}." if said else "No block is over its cap."
    )
