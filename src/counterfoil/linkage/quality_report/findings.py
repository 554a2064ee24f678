"""What of a quality report is worth a look: each finding says what was found, what was expected, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from counterfoil.linkage.quality import rate
from counterfoil.linkage.quality_report.by_product import LINK
from counterfoil.linkage.quality_report.domain import Concern
from counterfoil.linkage.quality_report.judged import SPINE

_FEW = 0.5  # of a source's records: below it an identifier is named as a reason
TRUTH_OF_REST = "Truth, without the sources of which less is expected"
_TELLING = {"full_parts_sorted": "a name", "dob": "a birth date", "postcode_std": "a postcode"}


class Concerns(Enum):
    """What may be of concern."""

    COMPLETENESS = "completeness"
    PRECISION = "precision"
    RECALL = "recall"
    GROUP = "group"
    BIAS = "bias"
    KEYS = "keys"
    TRAINING = "training"
    CONTROL = "negative control"
    COVERAGE = "coverage"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at."""

    concern: Concerns
    text: str

    def to_json(self) -> dict[str, str]:
        """concern, text."""
        return {"concern": self.concern.value, "text": self.text}


def find_concerns(report: Mapping[str, Any], concern: Concern) -> list[Finding]:
    """Everything that crosses a threshold of the domain's quality.toml."""
    parts = (_completeness, _rates, _coverage, _groups, _bias, _keys, _training, _controls)
    return [finding for part in parts for finding in part(report, concern)]


def _completeness(report: Mapping[str, Any], concern: Concern) -> Iterator[Finding]:
    for row in report["completeness"]["drift"]:
        if row["change"] <= -concern.completeness_drop:
            yield Finding(
                Concerns.COMPLETENESS,
                f"{row['source']}: {row['identifier']} is held by {100 * row['now']:.1f}% of records, "
                f"{100 * row['before']:.1f}% in the last spine. "
                "Pairs that it would have linked fall to looser rules. Ask the source what changed.",
            )


def _rates(report: Mapping[str, Any], concern: Concern) -> Iterator[Finding]:
    yield from _low_rates(report["precision_recall"]["rows"], concern, "")
    for name, product in report.get("products", {}).items():
        if name != SPINE:
            yield from _low_rates(product["rows"], concern, f"{name}, ")


def _low_rates(rows: Sequence[Mapping[str, Any]], concern: Concern, whose: str) -> Iterator[Finding]:
    """Against the truth recall is that of the sources of which no less is expected, where there are others."""
    has_rest = any(row["basis"] == TRUTH_OF_REST for row in rows)
    for row in rows:
        if row["strictness"] not in ("medium", LINK) or row["basis"] not in ("Truth", TRUTH_OF_REST, "Sampled review"):
            continue
        for name, kind, least in (
            ("precision", Concerns.PRECISION, concern.least_precision),
            ("recall", Concerns.RECALL, concern.least_recall),
        ):
            low = row[name]["low"]
            if row["basis"] == ("Truth" if name == "recall" else TRUTH_OF_REST) and has_rest:
                continue
            if low is not None and low < least:
                yield Finding(
                    kind,
                    f"{whose}{row['basis']}: {name} at {row['strictness']} may be as low as {100 * low:.1f}%, under "
                    f"{100 * least:.0f}%. Review more pairs to narrow the interval, or look at the rules and levels "
                    "below.",
                )


def _coverage(report: Mapping[str, Any], concern: Concern) -> Iterator[Finding]:
    words = report["groups"].get("words", {}).get("sex", {})
    for name, product in report.get("products", {}).items():
        coverage = product.get("coverage")
        if coverage is None:
            continue
        early, linked = coverage["outside"]["linked"], coverage["outside"]["linked"] + coverage["all"]["linked"]
        of_linked = rate(early, linked)
        if linked and of_linked["low"] > 1 - concern.least_precision:
            yield Finding(
                Concerns.COVERAGE,
                f"{name}: {100 * of_linked['rate']:.1f}% of linked people were born too early to be in it. Each is "
                f"a false link or a wrong birth date. Look at them with "
                f"counterfoil review --product {name.removeprefix('share ')}.",
            )
        yield from _less_covered(name, coverage["by_sex"], words, concern.group_gap)


def _less_covered(name: str, groups: Mapping[str, Any], words: Mapping[str, str], gap: float) -> Iterator[Finding]:
    """Groups whose whole interval lies under that of the group that is covered best, by more than `gap`."""
    shares = {value: found["share"] for value, found in groups.items() if found["share"]["rate"] is not None}
    best = max(shares.values(), key=lambda share: share["rate"], default=None)
    for value, share in shares.items():
        if best is not None and share["high"] < best["low"] and best["rate"] - share["rate"] > gap:
            yield Finding(
                Concerns.COVERAGE,
                f"{name}, sex, {words.get(value, value)}: {100 * share['rate']:.1f}% are covered, "
                f"{100 * (best['rate'] - share['rate']):.1f} points under those covered best, beyond chance. Say so "
                "beside results by sex, and look whether links of theirs are missed or the share has fewer of them.",
            )


def _groups(report: Mapping[str, Any], concern: Concern) -> Iterator[Finding]:
    expected = {each["source"]: each for each in report.get("expected", ())}
    for kind, values in report["groups"]["kinds"].items():
        for value, rates in values.items():
            for name in ("recall", "precision"):
                if kind == "source" and name == "recall" and value in expected:
                    yield from _under_expected(expected[value])
                    continue
                worse = rates.get(f"{name}_worse_by", {}).get("rate")
                if rates.get(f"{name}_worse_beyond_chance") and worse > concern.group_gap:
                    who = f"{kind}, {_called(report, kind, value)}"
                    yield Finding(
                        Concerns.GROUP,
                        f"{who}: {name} is {100 * worse:.1f} points under everybody else's, beyond chance. "
                        f"{_why(report, kind, value)}Results by this group carry link error; say so beside them.",
                    )


def _under_expected(row: Mapping[str, Any]) -> Iterator[Finding]:
    low = row["recall"]["low"]
    if low is not None and low < row["least_recall"]:
        yield Finding(
            Concerns.GROUP,
            f"source, {row['source']}: recall may be as low as {100 * low:.1f}%, under the "
            f"{100 * row['least_recall']:.0f}% that is expected of it. {row['reason']} Ask the source what changed.",
        )


def _called(report: Mapping[str, Any], kind: str, value: str) -> str:
    """What people call a group; its code where nobody said."""
    return str(report["groups"].get("words", {}).get(kind, {}).get(value, value))


def _why(report: Mapping[str, Any], kind: str, value: str) -> str:
    """What a source lacks whose records are hard to link: identifiers that few of its records hold."""
    held = report["completeness"]["by_source"].get(value, {}) if kind == "source" else {}
    rare = [f"{100 * held[name]:.1f}% hold {words}" for name, words in _TELLING.items() if held.get(name, 1.0) < _FEW]
    return f"Of its records {' and '.join(rare)}. " if rare else ""


def _bias(report: Mapping[str, Any], concern: Concern) -> Iterator[Finding]:
    del concern
    for row in report["bias"]["hypotheses"]:
        if row["statement"].startswith("found, partly"):
            yield Finding(
                Concerns.BIAS,
                f"{row['label']}: {row['statement']}. State the figures of the bias suite with results.",
            )


def _keys(report: Mapping[str, Any], concern: Concern) -> Iterator[Finding]:
    changes = report["changes"]
    if changes is None:
        return
    lost = sum(changes["keys"].get(name, 0) for name in ("merged", "split"))
    if lost > concern.lost_people * max(changes["people"]["before"], 1):
        yield Finding(
            Concerns.KEYS,
            f"{lost:,} of {changes['people']['before']:,} people of the last spine were merged or split. "
            "Studies under way should read the crosswalk before they use this spine.",
        )


def _training(report: Mapping[str, Any], concern: Concern) -> Iterator[Finding]:
    del concern
    models = report.get("models") or {"": report["model"]}
    for name, model in models.items():
        for session in model["sessions"]:
            where = f"Training{' the ' + name + ' model' if name else ''} on {session.get('block')}"
            if session.get("stopped") == "no pairs":
                said = f"{where} found no pair and taught nothing. See whether its columns are filled."
                yield Finding(Concerns.TRAINING, said)
            elif session.get("converged") is False:
                said = f"{where} stopped at its limit and had not settled. Its weights are not to be trusted."
                yield Finding(Concerns.TRAINING, said)


def _controls(report: Mapping[str, Any], concern: Concern) -> Iterator[Finding]:
    for control in report["controls"]:
        share = control["share"]
        if share is not None and share["low"] > 1 - concern.least_precision:
            yield Finding(
                Concerns.CONTROL,
                f"{control['found']:,} of {control['looked_at']:,} pairs are one person and cannot be: "
                f"{control['name']}. "
                "Look at them in counterfoil review.",
            )
