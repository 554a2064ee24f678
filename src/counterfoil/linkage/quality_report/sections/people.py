# ruff: noqa: E501  (what the page says is easier to read in one line)
"""The people that were made: how large, how they cross sources, what speaks against them, what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from counterfoil.linkage.quality_report.charts import ChartData, Kind, Row
from counterfoil.linkage.quality_report.sections.parts import LEVELS, Section, Table, count, interval, numbers, per_cent


def sizes_section(report: Mapping[str, Any]) -> Section:
    found = report["cluster_sizes"]
    every = sorted({r["records"] for rows in found.values() for r in rows})
    at = {level: {r["records"]: r["clusters"] for r in rows} for level, rows in found.items()}
    marks = tuple(Row(str(size), float(at[level].get(size, 0)), series=level) for level in LEVELS for size in every)
    chart = ChartData("sizes", "People by number of records", "People (log scale)", Kind.COLUMNS, marks, is_log=True)
    rows = tuple((str(size), *(count(at[level].get(size, 0)) for level in LEVELS)) for size in every)
    people = report["about"]["people"]
    words = ("People at each strictness: " + ", ".join(f"{level} {people[level]:,}" for level in LEVELS) + ".",)
    return Section(
        "sizes",
        "Records of one person",
        words,
        (chart,),
        (Table("People by number of records", ("Records", *LEVELS), rows, numbers(0, 1, 2, 3)),),
    )


def link_rates_section(report: Mapping[str, Any]) -> Section:
    found = report["link_rates"]
    names = tuple(sorted({*found, *(other for by in found.values() for other in by)}))
    rows = tuple((source, *(per_cent(found.get(source, {}).get(other)) for other in names)) for source in names)
    words = ("Of each row's records, the share whose person also has a record of the column's source (medium).",)
    none = (
        (Table("Link rates between sources", ("Records of", *names), rows, numbers(*range(1, len(names) + 1))),)
        if names
        else ()
    )
    return Section(
        "link_rates", "Links between sources", words if names else ("One source, or no link between two.",), tables=none
    )


def journeys_section(report: Mapping[str, Any]) -> Section:
    """Links of cases; a report of an earlier version has none."""
    found = report.get("journeys", [])
    title = "Cases that moved to another court"
    if not found:
        return Section(
            "journeys",
            title,
            ("No cases are followed in this spine: its domain names none, or their tables are not loaded.",),
        )
    words = (
        "Links of cases, not of persons: no journey makes one person of two, and no person link is a journey. Each case goes with one other at most. "
        "Tied: another case comes nearly as near, so none is linked. Taken: the other case is nearer to a third. Weak: under the threshold.",
    )
    counts = tuple(
        (_journey(r), *(count(r["statuses"][status]) for status in _STATUSES), count(r["of_two_persons"]))
        for r in found
    )
    rates = tuple(
        (_journey(r), count(r["truth"]["true_pairs"]), interval(r["truth"]["precision"]), interval(r["truth"]["recall"]))
        for r in found if r["truth"] is not None
    )  # fmt: skip
    known = (
        (
            Table(
                "Against the truth of a synthetic lab",
                ("Journey", "True pairs", "Precision", "Recall"),
                rates,
                numbers(1, 2, 3),
            ),
        )
        if rates
        else ()
    )
    unknown = (
        ()
        if rates
        else (
            "How many are right is not known here: no truth of cases is at hand. Every pair with its weight lies in journeys.parquet of the spine.",
        )
    )
    columns = ("Journey", *(status.capitalize() for status in _STATUSES), "Linked, of two persons")
    return Section("journeys", title, (*words, *unknown), tables=(
        Table("The best pair of each case that was sent, by what became of it", columns, counts, numbers(1, 2, 3, 4, 5)), *known,
    ))  # fmt: skip


_STATUSES = ("linked", "tied", "taken", "weak")


def _journey(row: Mapping[str, Any]) -> str:
    return f"{row['from']} to {row['to']}"


def controls_section(report: Mapping[str, Any]) -> Section:
    rows = tuple(
        (r["name"], count(r["looked_at"]), count(r["found"]), interval(r["share"]), r["note"])
        for r in report["controls"]
    )
    again = report["recaptured"]
    words = (
        "What no person can be, counted in the finished people without any label. Each one found is a false link, or a wrong date.",
        f"Capture and recapture: of {again['confirmed']:,} pairs that one number confirms, the model without any number does not link "
        f"{again['lost']:,} again at medium: {interval(again['share_lost'])}. {_missed_words(again['missed'])}",
    )
    return Section("controls", "Negative controls", words, tables=(
        Table("Pairs at medium that cannot be one person", ("Control", "Pairs looked at", "Found", "Share", "What is counted"), rows, numbers(1, 2, 3)),
    ))  # fmt: skip


def _missed_words(missed: Mapping[str, Any] | None) -> str:
    if missed is None:
        return "So nothing can be said of links that are missed."
    return (
        f"If pairs with no number in common are lost as often, about {missed['rate']:,} links are missed ({missed['low']:,} to "
        f"{missed['high']:,}). Such pairs are harder to find, and many are joined by way of a third record: take it for the order of magnitude."
    )


def guards_section(report: Mapping[str, Any]) -> Section:
    found = report["guards"]
    rows = tuple((name, count(c["left_out"]), count(c["for_review"])) for name, c in found["guards"].items())
    bridges = found["weak_bridges"]
    words = (
        f"{bridges['links']:,} weak bridges: links under {bridges['below']:g} bits that alone hold two parts of a person together. "
        "One mistaken link there makes one person of two.",
        "Every pair that a guard spoke against lies in review.parquet of the spine, every weak bridge in weak_bridges.parquet; "
        "counterfoil review --queue guards asks about them.",
    )
    table = Table(
        "Guards", ("Guard", "Links left out", "Stand, for review"), rows or (("none", "0", "0"),), numbers(1, 2)
    )
    return Section("guards", "Guards and weak bridges", words, tables=(table,))


def changes_section(report: Mapping[str, Any]) -> Section:
    changes = report["changes"]
    if changes is None:
        return Section("changes", "What changed", ("This is the lab's first spine: there is none to compare it with.",))
    records, people, links = changes["records"], changes["people"], changes["links"]
    rows = (
        ("Records", count(records["before"]), count(records["now"]), f"{records['new']:,} new, {records['gone']:,} gone"),
        ("People", count(people["before"]), count(people["now"]), ", ".join(f"{n:,} {k}" for k, n in changes["keys"].items())),
        ("Links at medium", count(links["kept"] + links["gone"]), count(links["kept"] + links["new"]), f"{links['new']:,} new, {links['gone']:,} gone"),
    )  # fmt: skip
    words = (f"Against spine {changes['previous']}. Every old key maps in the crosswalk.",)
    return Section(
        "changes",
        "What changed",
        words,
        tables=(Table("Since the last spine", ("What", "Before", "Now", "Of these"), rows, numbers(1, 2)),),
    )
