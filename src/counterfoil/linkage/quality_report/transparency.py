"""The record of the UK Algorithmic Transparency Recording Standard, filled in from the run.

What a run cannot know stands in the domain's transparency.toml. "Performance", which published records leave thin, is
filled with the spine's own figures and intervals.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from counterfoil.domains.schema import folder, read_toml

STANDARD = "Algorithmic Transparency Recording Standard"

_TITLES: Mapping[str, str] = {
    "name": "Name", "description": "Description", "owner": "Owner and senior owner", "supplier": "Supplier",
    "what_it_does": "What it does", "scope": "Scope", "benefit": "Benefit", "alternatives": "Alternatives considered",
    "technical_design": "Technical design", "data": "Data", "performance": "Performance", "risks": "Risks",
    "impact_assessments": "Impact assessments", "human_oversight": "Human oversight", "appeal": "Appeal",
}  # fmt: skip


@cache
def _written(domain: str) -> Mapping[str, Any]:
    return read_toml(folder(domain) / "transparency.toml")


def record_of(report: Mapping[str, Any], *, domain: str, lab: str) -> dict[str, Any]:
    """The record as JSON: one entry a field of the standard, text or a list of texts."""
    raw = _written(domain)
    owner, technical, data = raw["owner"], raw["technical"], raw["data"]
    return {
        "standard": STANDARD,
        "name": raw["tier_1"]["name"].format(lab=lab),
        "description": raw["tier_1"]["description"],
        "owner": [owner["organisation"], owner["team"], owner["senior_owner"], raw["tier_1"]["contact"]],
        "supplier": [owner["supplier"], owner["supplier_access"]],
        "what_it_does": raw["scope"]["what_it_does"],
        "scope": raw["scope"]["scope"],
        "benefit": raw["scope"]["benefit"],
        "alternatives": [raw["scope"]["previous"], raw["scope"]["alternatives"]],
        "technical_design": [technical["method"], technical["retraining"], *_design(report)],
        "data": [*_sources(report), data["sensitive"], data["access"], data["storage"], data["sharing"]],
        "performance": _performance(report),
        "risks": [f"{r['risk']}. {r['effect']}. Against it: {r['mitigation']}." for r in raw["risks"]["items"]],
        "impact_assessments": [f"{a['name']}: {a['state']}" for a in raw["impact"]["assessments"]],
        "human_oversight": [raw["oversight"]["human"], raw["oversight"]["training"]],
        "appeal": raw["oversight"]["appeal"],
    }


def fields(record: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """(heading, paragraphs) of a record, in the standard's order."""
    return [
        (title, [record[name]] if isinstance(record[name], str) else list(record[name]))
        for name, title in _TITLES.items()
    ]


def to_markdown(record: Mapping[str, Any]) -> str:
    """The record to publish once what it asks for is filled in."""
    lines = [f"# {record['name']}", "", f"{STANDARD}", ""]
    for title, paragraphs in fields(record):
        body = [paragraphs[0]] if len(paragraphs) == 1 else [f"- {text}" for text in paragraphs]
        lines += [f"## {title}", "", *body, ""]
    return "\n".join(lines)


def _design(report: Mapping[str, Any]) -> list[str]:
    about, model = report["about"], report["model"]
    limits = ", ".join(f"{level} {limit:g}" for level, limit in about["thresholds"].items())
    hand = sum(row["how"] == "set by hand" for row in model["weights"])
    bound = sum(row["how"] == "bound" for row in model["weights"])
    return [
        f"Model {about['model'][:12]} of spine {about['spine']}, Counterfoil {about['counterfoil']}. "
        f"Thresholds in bits: {limits}.",
        f"{len(model['weights'])} levels of agreement: {hand} set by hand, {bound} bounded for want of evidence, "
        "the rest learnt.",
    ]


def _sources(report: Mapping[str, Any]) -> list[str]:
    counted = ", ".join(f"{name} {about['records']:,}" for name, about in report["completeness"]["by_source"].items())
    return [f"Records by source: {counted}."]


def _performance(report: Mapping[str, Any]) -> list[str]:
    lines = []
    for row in report["precision_recall"]["rows"]:
        if row["strictness"] == "medium" and row["precision"] and row["precision"]["rate"] is not None:
            lines.append(
                f"{row['basis']}: precision {_range(row['precision'])}, recall {_range(row['recall'])} "
                "(medium threshold)."
            )
    said = [f"{each['label']}: {each['statement']}." for each in report["bias"]["hypotheses"]]
    return [*lines, "Bias, by hypothesis: " + " ".join(said)]


def _range(rate: Mapping[str, Any] | None) -> str:
    if rate is None or rate["rate"] is None:
        return "not known"
    if rate.get("low") is None:
        return f"{100 * rate['rate']:.2f}%"
    return f"{100 * rate['rate']:.2f}% ({100 * rate['low']:.2f} to {100 * rate['high']:.2f})"
