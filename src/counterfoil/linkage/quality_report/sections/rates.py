# ruff: noqa: E501  (what the page says is easier to read in one line)
"""Findings, precision and recall, and what reviewers said of the sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from counterfoil.linkage.quality_report.charts import ChartData, Kind, Row
from counterfoil.linkage.quality_report.findings import TRUTH_OF_REST
from counterfoil.linkage.quality_report.sections.parts import LEVELS, Section, Table, count, interval, numbers, per_cent


def findings_section(report: Mapping[str, Any]) -> Section:
    rows = tuple((each["concern"], each["text"]) for each in report["findings"])
    words = (
        (f"{len(rows)} things crossed a threshold of concern.",)
        if rows
        else ("Nothing crossed a threshold of concern.",)
    )
    less = tuple(
        (r["source"], interval(r["recall"]), f"{100 * r['least_recall']:.0f}%", r["reason"])
        for r in report.get("expected", ())
    )
    tables = [Table("Findings", ("About", "What"), rows)] if rows else []
    if less:
        caption = "Sources of which less is expected: a finding only under the least"
        tables.append(Table(caption, ("Source", "Recall at medium", "Least", "Why"), less, numbers(1, 2)))
    return Section("findings", "What to look at", words, tables=tuple(tables))


def precision_section(report: Mapping[str, Any]) -> Section:
    found = report["precision_recall"]
    rows = tuple((r["basis"], r["strictness"], interval(r["precision"]), interval(r["recall"])) for r in found["rows"])
    drawn = tuple(
        ChartData(
            f"rates-{name}", f"{name.capitalize()} of the people at each strictness", f"{name.capitalize()}, %", Kind.INTERVALS,
            tuple(_rate_row(r, name) for r in found["rows"] if r[name]["rate"] is not None),
        )
        for name in ("precision", "recall")
    )  # fmt: skip
    words = (
        "Precision: of the pairs of records that are in one cluster, the share that are one person. Recall: of the pairs "
        "that are one person, the share in one cluster. Both with 95% intervals.",
        "“The model of itself”: " + found["note"],
    )
    return Section("precision", "Precision and recall", words, drawn, (
        Table("Precision and recall by what they rest on", ("Basis", "Strictness", "Precision", "Recall"), rows, numbers(2, 3)),
        Table(
            "Beside the spine's people at medium, in pairs of records",
            ("Other way", "People", "Pairs", "Of the spine's pairs it finds", "Pairs it finds beside"),
            tuple((r["name"], count(r["people"]), count(r["pairs"]), per_cent(r["of_spine_found"]), count(r["found_beside"]))
                  for r in found["compared"]), numbers(1, 2, 3, 4)),
    ))  # fmt: skip


def products_section(report: Mapping[str, Any]) -> Section:
    """Each product by itself; a report of an earlier version has none."""
    found = report.get("products", {})
    rows = tuple(
        (name, row["basis"], row["strictness"], interval(row["precision"]), interval(row["recall"]))
        for name, product in found.items() for row in product["rows"]
    )  # fmt: skip
    held = tuple(
        (name, product["title"], ", ".join(product["sources"]), count(product["records"]), _answered(product["review"]))
        for name, product in found.items()
    )
    words = (
        "Each product is a clustering of its own, judged by itself: by the pairs of its own sources, a sample of its own, and answers that were given for it. "
        "An answer counts for no other product.",
        "A product that nobody has looked at is reviewed with counterfoil review and its name after --product.",
    )
    columns = ("Product", "Basis", "Strictness", "Precision", "Recall")
    return Section("products", "Each product by itself", words, tables=(
        Table("Precision and recall by product", columns, rows, numbers(3, 4)),
        Table("What each product holds", ("Product", "In linkage.toml", "Sources", "Records", "Sampled pairs that are settled"), held, numbers(3)),
    ))  # fmt: skip


def _answered(review: Mapping[str, Any] | None) -> str:
    if review is None:
        return "no sample drawn yet"
    settled = 0 if review["estimate"] is None else review["estimate"]["labels"]
    return f"{settled:,} of {sum(row['sampled'] for row in review['strata']):,}"


def _rate_row(row: Mapping[str, Any], name: str) -> Row:
    rate = row[name]
    ends = (None, None) if rate.get("low") is None else (100 * rate["low"], 100 * rate["high"])
    label = "keys" if row["strictness"] == "none" else row["strictness"]
    short = {
        "The model of itself": "model", "Sampled review": "review", "Truth": "truth", TRUTH_OF_REST: "other sources",
    }.get(row["basis"])  # fmt: skip
    short = short or ("no numbers" if "without" in row["basis"] else "plain keys")
    label = short if label == "keys" else f"{short}, {label}"
    return Row(label, 100 * rate["rate"], *ends)


def review_section(report: Mapping[str, Any]) -> Section:
    review = report["precision_recall"]["review"]
    found = review["estimate"]
    strata = tuple((r["stratum"], count(r["pairs"]), count(r["sampled"])) for r in review["strata"])
    waiting = sum(r["sampled"] for r in review["strata"])
    looser = (
        f"{per_cent(review['share_of_records'])} of the records were compared by looser rules, to see what was missed."
    )
    if found is None:
        words = (f"Nobody has looked at the sample yet: {waiting:,} pairs wait in counterfoil review.", looser)
        rows: tuple[tuple[str, ...], ...] = ()
    else:
        reviewers = found["reviewers"]
        words = (
            f"{found['labels']:,} of {waiting:,} sampled pairs are settled, {found['unsettled']:,} are not. One reviewer is wrong "
            f"{interval(reviewers['error'])} of the time ({reviewers['basis']}; {reviewers['disagreed']:,} of "
            f"{reviewers['looked_twice']:,} pairs disagreed on).",
            looser,
        )
        rows = tuple(
            (
                level,
                interval(found["blocking_recall"]),
                interval(found[level]["scoring_recall"]),
                interval(found[level]["recall"]),
            )
            for level in LEVELS
        )
    beyond = (
        "True pairs that no rule makes, usual or looser, by capture and recapture of numbers",
        interval(review["beyond"]),
    )
    tables = (
        [
            Table(
                "Recall taken apart: blocking × scoring = recall",
                ("Strictness", "Blocking recall", "Scoring recall", "Recall"),
                rows,
                numbers(1, 2, 3),
            )
        ]
        if rows
        else []
    )
    return Section("review", "Sampled clerical review", words, tables=(
        *tables,
        Table("Beyond what anybody could be shown", ("What", "Share of true pairs"), (beyond,), numbers(1)),
        Table("The sample, by where a pair stands and its weight in bits", ("Stratum", "Pairs", "Sampled"), strata, numbers(1, 2), is_folded=True),
    ))  # fmt: skip
