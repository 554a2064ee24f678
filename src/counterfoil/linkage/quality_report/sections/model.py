# ruff: noqa: E501  (what the page says is easier to read in one line)
"""What the model makes of a pair, and how it was trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from counterfoil.linkage.quality_report.charts import ChartData, Kind, Row
from counterfoil.linkage.quality_report.sections.parts import Section, Table, count, numbers, shortened


def weights_section(report: Mapping[str, Any]) -> Section:
    bins = report["weights"]
    rows = tuple(Row(f"{b['from']:g}", float(b["pairs"])) for b in bins)
    thresholds = report["about"]["thresholds"]
    first = bins[0]["from"] if bins else 0.0
    marks = tuple(((limit - first) / 2 - 0.5, level) for level, limit in thresholds.items())
    chart = ChartData(
        "histogram", "Scored pairs by match weight", "Pairs (log scale)", Kind.COLUMNS, rows, marks, is_log=True
    )
    table = Table(
        "Scored pairs by match weight, in bits",
        ("From", "Pairs"),
        tuple((r.label, count(r.value)) for r in rows),
        numbers(0, 1),
        is_folded=True,
    )
    words = ("Pairs that weigh 0 bits or more, prior included: as likely as not, and above. Lines: the thresholds.",)
    return Section("weights", "Match weights of pairs", words, (chart,), (table,))


def match_weights_section(report: Mapping[str, Any]) -> Section:
    levels = report["model"]["weights"]
    names = list(dict.fromkeys(r["comparison"] for r in levels))
    charts = tuple(
        ChartData(f"levels-{number}", f"Weights of {name}", "Bits; to the right: for one person", Kind.BARS,
                  tuple(Row(shortened(r["level"]), r["weight"]) for r in levels if r["comparison"] == name))
        for number, name in enumerate(names)
    )  # fmt: skip
    rows = tuple(
        (
            r["comparison"],
            r["level"],
            f"{r['weight']:+.2f}",
            f"{r['m']:.3g}",
            f"{r['u']:.3g}",
            r["how"],
            r["frequency"] or "–",
        )
        for r in levels
    )
    columns = ("Comparison", "Level", "Bits", "m", "u", "How", "Adjusted by how common")
    words = (
        "What each level of agreement counts, before the frequency of the value. m: share of pairs of one person at the level; u: of two.",
    )
    return Section(
        "match_weights",
        "What each agreement weighs",
        words,
        charts,
        (Table("Every level of the model", columns, rows, numbers(2, 3, 4), is_folded=True),),
    )


_NO_PAIRS = "no pairs"  # what a session that had none says of why it stopped


def _why_ended(session: Mapping[str, Any]) -> str:
    if session.get("stopped") == _NO_PAIRS:
        return "no pair to learn from"
    return "settled" if session.get("converged") else "stopped at the limit"


def model_section(report: Mapping[str, Any]) -> Section:
    """Every slice's model; a report of an earlier version has the first alone."""
    models = report.get("models") or {"": report["model"]}
    sessions = tuple(
        (
            name or "–",
            str(s.get("block", "–")),
            count(s.get("pairs")),
            ", ".join(part.replace("_", " ") for part in s.get("trains", ())) or "–",
            str(s.get("iterations", "–")),
            "–" if s.get("last_change") is None else f"{s['last_change']:.1e}",
            _why_ended(s),
        )
        for name, model in models.items()
        for s in model["sessions"]
    )
    bounds = tuple(
        (name or "–", b["comparison"], b["level"], b["parameter"], f"{b['value']:.3g}")
        for name, model in models.items()
        for b in model["bounds"]
    )
    hand = tuple(
        (r["comparison"], r["level"], f"{r['u']:.3g}") for r in report["model"]["weights"] if r["how"] == "set by hand"
    )
    words = (*(_prior_words(name, model) for name, model in models.items()), _WITHOUT_LABELS)
    return Section("model", "How the models were trained", words, tables=(
        Table("Sessions of expectation maximisation", ("Model", "Block", "Pairs", "What it trains", "Iterations", "Last change of a probability", "Why it ended"), sessions, numbers(2, 4, 5)),
        Table("Never seen in training: the bound that was set", ("Model", "Comparison", "Level", "Parameter", "Value"), bounds or (("–", "none", "–", "–", "–"),), numbers(4)),
        Table("Set by hand, in every model; the reason stands in the domain's linkage.toml", ("Comparison", "Level", "u"), hand or (("none", "–", "–"),), numbers(2)),
    ))  # fmt: skip


_WITHOUT_LABELS = "Trained without labels. A session does not train a comparison on a column that it blocks on."


def _prior_words(name: str, model: Mapping[str, Any]) -> str:
    of = f" The {name} model, of {', '.join(model['sources'])}." if name else ""
    return f"Two records drawn at random are one person with probability {model['prior']:.3g}.{of}"
