"""Every table of a report once, as rows; the page and the CSV files print the same rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.disclosure import (
    Band,
    Box,
    Cell,
    DisclosureSettings,
    Protected,
    ProtectedBox,
    ProtectedCell,
    ProtectedEstimate,
    ProtectedMeasure,
    ProtectedRefusal,
    ProtectedSurvival,
    ProtectedTerm,
    ProtectedTrust,
    ProtectedWay,
    Rule,
    Shown,
    WayGroup,
)
from counterfoil.report import numbers
from counterfoil.report.about import About
from counterfoil.report.words import Words
from counterfoil.units import Kind
from counterfoil.visible import visible

DANGEROUS_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run these (DISCLOSURE A6)

Entry = str | Cell


@dataclass(frozen=True, slots=True)
class Table:
    """A file's worth of rows. Cells stay cells, so that numbers stay numbers."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]


def safe_text(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(DANGEROUS_STARTS) else text


def to_csv(table: Table) -> bytes:
    """UTF-8, comma, CRLF as RFC 4180 has it; numbers bare, hidden numbers as shorthand, text made safe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([safe_text(c) for c in table.columns])
    for row in table.rows:
        writer.writerow([numbers.machine(e) if isinstance(e, Cell) else safe_text(e) for e in row])
    return visible(out.getvalue()).encode("utf-8")


def results_table(protected: Protected, words: Words) -> Table:
    """One row a measure: both groups, the difference, its interval, p, and the rule of what is hidden."""
    columns = ("measure", "label", "unit", "treated_people", "treated_value", "comparison_people", "comparison_value",
               "difference", "low", "high", "p", "verdict", "hidden_by")  # fmt: skip
    return Table("results", columns, tuple(_result_row(m, words) for m in protected.measures))


def _result_row(measure: ProtectedMeasure, words: Words) -> tuple[Entry, ...]:
    about = measure.measure
    return (
        about.name,
        words.given(about.label),
        "rate" if about.kind is Kind.RATE else words.given(about.unit or about.kind.value),
        measure.treated.n,
        measure.treated.value,
        measure.comparison.n,
        measure.comparison.value,
        *_estimate_cells(measure.estimate),
        measure.verdict.value,
        "" if measure.hidden is None else measure.hidden.value,
    )


def _estimate_cells(estimate: ProtectedEstimate) -> tuple[Cell, ...]:
    return (estimate.difference, estimate.low, estimate.high, estimate.p)


def further_tests_table(protected: Protected) -> Table:
    """Other intervals on the same people: the score method, adjustment for covariates."""
    rows: list[tuple[Entry, ...]] = [
        (m.measure.name, name, *_estimate_cells(estimate))
        for m in protected.measures
        for name, estimate in (("score", m.score), ("adjusted", m.adjusted))
        if estimate is not None
    ]
    return Table("further_tests", ("measure", "method", "difference", "low", "high", "p"), tuple(rows))


def box_label(box: ProtectedBox, words: Words) -> str:
    """What a box stands for; merged boxes are joined."""
    keys = {
        Box.SUBMITTED: "submitted",
        Box.IN_SCOPE: "in_scope",
        Box.COMPARABLE: "comparable",
        Box.ANALYSED: "analysed",
    }
    first, *others = (words(f"flow.{keys[b]}") for b in box.boxes)
    return words("flow.joined").join([first, *(label[:1].lower() + label[1:] for label in others)])


def attrition_table(protected: Protected, words: Words) -> Table:
    """The public flow."""
    rows = tuple(
        (box_label(box, words), box.people, "rounded" if box.people.about else "") for box in protected.attrition.boxes
    )
    return Table("attrition", ("step", "people", "note"), rows)


def band_word(band: Band | None, words: Words) -> str:
    """A colour with its meaning, so that colour is never alone."""
    if band is None:
        return words("balance.undefined")
    return f"{words(f'balance.{band.value}')}: {words(f'balance.{band.value}_words')}"


def before_word(term: ProtectedTerm, words: Words) -> str:
    """How different the groups were before, or that it is hidden."""
    return Shown.SUPPRESSED.value if term.before_hidden else band_word(term.before, words)


def balance_table(protected: Protected) -> Table:
    """One row a term. The difference, and how it was before, stand only where R3 allows it."""
    rows = tuple((t.term, t.covariate, _before(t), t.after.value, t.smd) for t in protected.balance.terms)
    return Table("balance", ("term", "covariate", "band_before", "band_after", "smd"), rows)


def _before(term: ProtectedTerm) -> str:
    if term.before_hidden:
        return Shown.SUPPRESSED.value
    return term.before.value if term.before else ""


def why(rule: Rule, settings: DisclosureSettings, words: Words) -> str:
    """The sentence of a rule, with the numbers of the settings."""
    filling = {
        "threshold": f"{settings.threshold:g}",
        "min_group": f"{settings.min_group:g}",
        "min_difference": f"{settings.min_difference:g}",
    }
    return words(f"rule.{rule.value}", **filling)


def why_no_line(rule: Rule, settings: DisclosureSettings, words: Words) -> str:
    """The same for a line of the profile, which is a number of people and no rate."""
    if rule in (Rule.R2, Rule.R3, Rule.R4):
        return words("profile.rule", threshold=f"{settings.threshold:g}")
    return why(rule, settings, words)


def hidden_table(protected: Protected, words: Words) -> Table:
    """What was hidden, by which rule, and why. Never a number but the rules' own."""
    labels = {m.measure.name: words.given(m.measure.label) for m in protected.measures}
    labels |= {"flow": words("flow.title"), "balance": words("balance.title"), "survival": words("survival.title")}
    profile = {table.name: words.given(table.name) for table in protected.tables}
    labels |= profile
    rows = tuple(
        (labels[f.where], f.rule.value,
         (why_no_line if f.where in profile else why)(f.rule, protected.settings, words))
        for f in protected.findings
    )  # fmt: skip
    return Table("hidden", ("where", "rule", "why"), rows)


def kinds_text(cell: ProtectedCell, words: Words) -> str:
    """The kinds of people that a line of the profile stands for; small ones stand together."""
    return "; ".join(words.given(kind) for kind in cell.kinds)


def profile_table(protected: Protected, words: Words) -> Table:
    """Who the people analysed were: one row a group of each characteristic."""
    rows = tuple(
        (words.given(table.name), kinds_text(cell, words), cell.people, cell.share,
         "" if cell.people.rule is None else cell.people.rule.value)
        for table in protected.tables
        for cell in table.cells
    )  # fmt: skip
    return Table("profile", ("characteristic", "group", "people", "share", "hidden_by"), rows)


def survival_table(survival: ProtectedSurvival) -> Table:
    """The curves' points."""
    rows = tuple((p.month, p.treated, p.comparison) for p in survival.points)
    return Table("survival", ("month", "treated_share", "comparison_share"), rows)


def sub_analyses_table(protected: Protected) -> Table:
    """Every sub-analysis; those that are hidden with the rule."""
    rows = tuple(
        (s.name, s.about, s.difference, s.low, s.high, s.p_holm, s.verdict.value, s.hidden or "")
        for s in protected.sub_analyses
    )
    columns = ("name", "people", "difference", "low", "high", "p_holm", "verdict", "hidden_by")
    return Table("sub_analyses", columns, rows)


def ways_table(protected: Protected) -> Table:
    """Every way to make the comparison, the headline's first; those that are hidden with the rule."""
    rows = tuple((s.name, s.difference, s.low, s.high, s.hidden or "") for s in protected.ways)
    return Table("ways", ("name", "difference", "low", "high", "hidden_by"), rows)


def trust_table(trust: ProtectedTrust) -> Table:
    """Every way to ask, the headline's first, and the check; those that are hidden with the rule."""
    check = () if trust.control is None else (trust.control,)
    rows = tuple(
        (s.group.value, s.name, _label(s), s.difference, s.low, s.high, s.hidden or "") for s in (*trust.ways, *check)
    )
    return Table("trust", ("group", "name", "label", "difference", "low", "high", "hidden_by"), rows)


def _label(way: ProtectedWay) -> str:
    """A site's name in quotes, as the page has it, so that no number in it passes for a result."""
    return f"“{way.label}”" if way.group is WayGroup.SITE else way.label


def parameters_table(settings: DisclosureSettings, words: Words) -> Table:
    """The disclosure settings."""
    rows = tuple(
        (p.symbol, Cell(value=p.value, decimals=_decimals(p.value)), words.given(p.meaning), words.given(p.source))
        for p in settings.annex()
    )
    return Table("disclosure_settings", ("symbol", "value", "meaning", "source"), rows)


def _decimals(value: float) -> int:
    return 0 if value == int(value) else 2


def versions_table(about: About, words: Words) -> Table:
    """Versions, hashes, seeds and inputs."""
    rows: list[tuple[Entry, ...]] = [
        (words("versions.run"), about.run),
        *(((words("versions.lab"), about.lab),) if about.lab else ()),
        *about.versions,
        (words("versions.plan"), about.plan_hash),
        *(((words("versions.design"), about.design_hash),) if about.design_hash else ()),
        *(((words("versions.seeds"), ", ".join(map(str, about.seeds))),) if about.seeds else ()),
        *((words("versions.input", name=name), digest) for name, digest in about.inputs),
    ]
    return Table("versions", ("what", "value"), tuple(rows))


def provider_table(about: About, words: Words) -> Table:
    """What the organisation says in its own words; the lab has neither checked nor scored it."""
    rows = (
        (words("provider.description"), "", about.description),
        (words("provider.response"), about.words.responded.isoformat() if about.words.responded else "",
         about.words.response),
        (words("provider.other_evidence"), "", about.words.other_evidence),
    )  # fmt: skip
    return Table("provider_words", ("what", "date", "words"), tuple(row for row in rows if row[2]))


def tables_of(protected: Protected | ProtectedRefusal, about: About, words: Words) -> tuple[Table, ...]:
    """Every table of a report. A refusal has no table of results."""
    ends = (parameters_table(protected.settings, words), versions_table(about, words))
    said = provider_table(about, words)
    ends = (*((said,) if said.rows else ()), *ends)
    if isinstance(protected, ProtectedRefusal):
        return (Table("refusal", ("rule", "reason"), ((protected.rule, words.given(protected.reason)),)), *ends)
    found: Sequence[Table] = (
        results_table(protected, words),
        further_tests_table(protected),
        attrition_table(protected, words),
        *((profile_table(protected, words),) if protected.tables else ()),
        balance_table(protected),
        hidden_table(protected, words),
        *(() if protected.survival is None else (survival_table(protected.survival),)),
        *((sub_analyses_table(protected),) if protected.sub_analyses else ()),
        *((ways_table(protected),) if protected.ways else ()),
        *((trust_table(protected.trust),) if protected.trust is not None and protected.trust.ways else ()),
    )
    return (*found, *ends)
