# ruff: noqa: E501  (what the page says is easier to read in one line)
"""Error rates by group of people, and the bias suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from counterfoil.linkage.quality_report.charts import ChartData, Kind, Row
from counterfoil.linkage.quality_report.groups import AGES
from counterfoil.linkage.quality_report.sections.parts import Section, Table, interval, numbers, per_cent


def groups_section(report: Mapping[str, Any]) -> Section:
    found = report["groups"]
    if not found["kinds"]:
        words = ("Error rates by group need labels or a known truth, and there are none yet. " + found["note"],)
        return Section("groups", "Error rates by group of people", words)
    charts, tables = [], []
    for kind, unordered in found["kinds"].items():
        values = dict(sorted(unordered.items(), key=lambda each: _AGES.get(each[0], -1)))
        rows = tuple(
            (_word(found, kind, value), interval(r["precision"]), interval(r["recall"]), _worse(r))
            for value, r in values.items()
        )
        tables.append(
            Table(f"By {_KIND_WORDS[kind]}", ("Group", "Precision", "Recall", "Beyond chance"), rows, numbers(1, 2))
        )
        marks = tuple(
            Row(_word(found, kind, v), 100 * r["recall"]["rate"], 100 * r["recall"]["low"], 100 * r["recall"]["high"])
            for v, r in values.items() if r["recall"]["rate"] is not None
        )  # fmt: skip
        charts.append(ChartData(f"recall-{kind}", f"Recall by {_KIND_WORDS[kind]}", "Recall, %", Kind.INTERVALS, marks))
    words = (
        f"At medium, from {found['basis']}. A pair counts in a group when one of its records does. Intervals take account of "
        "one person's pairs being found or missed together. Differences from everybody else are tested at 5% shared out "
        "over the groups of a kind.",
        *((found["note"],) if found["note"] else ()),
    )
    return Section("groups", "Error rates by group of people", words, tuple(charts), tuple(tables))


_NOT_WORSE = "no"
_AGES = {name: least for least, name in AGES}  # groups of other kinds stand as they are counted
_KIND_WORDS = {
    "sex": "sex",
    "ethnicity": "ethnicity",
    "age": "age",
    "origin": "origin of the name",
    "source": "source",
}


def _word(found: Mapping[str, Any], kind: str, value: str) -> str:
    """What people call a group; its code where a report of an earlier version has no words."""
    return str(found.get("words", {}).get(kind, {}).get(str(value), value))


def _worse(rates: Mapping[str, Any]) -> str:
    worse = [
        f"{name} {100 * rates[f'{name}_worse_by']['rate']:.1f} points worse"
        for name in ("recall", "precision")
        if rates.get(f"{name}_worse_beyond_chance")
    ]
    return "; ".join(worse) or _NOT_WORSE


def bias_section(report: Mapping[str, Any]) -> Section:
    found = report["bias"]
    rows, shown = [], []
    for each in found["hypotheses"]:
        sides = each["made_up"]
        rows.append(
            (
                each["label"],
                each["statement"],
                *(_wrong(sides, side, kind) for kind in ("missed", "false") for side in ("group", "reference")),
                _truth_words(each["truth"]),
            )
        )
        shown += [
            Row(each["label"], 100 * sides[side]["missed"]["share_wrong"], series=word)
            for side, word in (("group", "group"), ("reference", "reference"))
            if sides["group"]["missed"]["pairs"]
        ]
    items = tuple(
        (f"{each['label']}: {each['statement']}", (each["hypothesis"], f"Against it: {each['mitigation']}"))
        for each in found["hypotheses"]
    )
    words = (
        "Each hypothesis is embodied in made-up pairs of records, scored by this spine's model and set beside a reference. "
        f"It counts as found when {per_cent(found['tolerance'], 0)} more of the group's pairs than of the reference's end wrong at medium, or when "
        f"the truth shows a rate worse by over {100 * found['gap']:g} points beyond chance. “Found and mitigated”: plain keys treat the group worse, "
        "the model does not. A hypothesis that is not here was not looked at.",
    )
    chart = ChartData(
        "bias-missed", "Made-up pairs of one person that are missed", "Missed, %", Kind.BARS, tuple(shown)
    )
    columns = (
        "Hypothesis",
        "Statement",
        "Missed, group",
        "Missed, reference",
        "False, group",
        "False, reference",
        "Recall by the truth; worse beyond chance",
    )
    return Section(
        "bias",
        "Bias suite",
        words,
        (chart,),
        (Table("Statement of each hypothesis", columns, tuple(rows), numbers(2, 3, 4, 5)),),
        items,
    )


def _wrong(sides: Mapping[str, Any], side: str, kind: str) -> str:
    outcome = sides[side][kind]
    return f"{outcome['wrong']} of {outcome['pairs']}" if outcome["pairs"] and sides["group"][kind]["pairs"] else "–"


def _truth_words(rates: Mapping[str, Any] | None) -> str:
    if rates is None:
        return "not known"
    if rates["recall"]["rate"] is None:
        return "no such pair"
    worse = _worse(rates)
    return interval(rates["recall"]) + ("" if worse == _NOT_WORSE else f"; {worse}")
