"""`render`: a protected result and the facts of its run become the files of a report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from jinja2 import Environment
from markupsafe import Markup

from counterfoil.disclosure import Band, Box, Cell, Design, Protected, ProtectedMeasure, ProtectedRefusal
from counterfoil.lab.paths import PDF, REPORT
from counterfoil.report import charts, further, numbers, provider, sentences, tables, trust
from counterfoil.report.about import About
from counterfoil.report.allow_list import check_numbers
from counterfoil.report.as_csvw import SUFFIX, to_csvw
from counterfoil.report.as_json import to_json
from counterfoil.report.as_ods import to_ods
from counterfoil.report.as_xlsx import to_xlsx
from counterfoil.report.linking import linking_lines
from counterfoil.report.words import LANGUAGES, Words, file_in, words_of
from counterfoil.report.workbook import workbook_of
from counterfoil.templating import style_of, templates_of
from counterfoil.units import Kind
from counterfoil.visible import visible

PACKAGE = "counterfoil.report"  # whose templates these are
ODS, XLSX = "report.ods", "report.xlsx"
PRINTINGS = frozenset(file_in(name, language) for name in (REPORT, ODS, XLSX, PDF) for language in LANGUAGES)
EDGES = {Band.GREEN: "0.05", Band.AMBER: "0.10", Band.RED: "0.10"}  # METHODS 4


@dataclass(frozen=True, slots=True)
class Rendered:
    """The files of a report by name: report.html, .json, .ods, .xlsx, and tables/NAME.csv with what describes it."""

    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class MeasureView:
    """One measure as the page lays it out."""

    measure: ProtectedMeasure
    label: str
    verdict: str
    statement: sentences.Statement
    bars: tuple[charts.Bar, charts.Bar]
    interval: Markup
    axis_left: str
    axis_right: str
    unit: str
    why_hidden: str  # the rule's sentence, or nothing
    shows: bool  # any number at all; a measure without one is its sentence and no table of blanks
    rows: tuple[tuple[str, str, str], ...]


def render(protected: Protected | ProtectedRefusal, about: About, *, pdf: bool = False) -> Rendered:
    """Every file of a report. The same values give the same bytes. A number that is not allowed is a fault (R22).

    `pdf` takes seconds, and a machine on which `why_no_pdf` is empty.
    """
    files: dict[str, bytes] = {}
    for language in about.languages:
        files |= _in_language(protected, about, words_of(language), pdf=pdf)
    document = {
        **to_json(protected, about.run, REPORT),
        "translations": {language: _said(protected, words_of(language)) for language in about.languages[1:]},
        "about": _about_json(about),
    }
    files["report.json"] = (visible(json.dumps(document, indent=1, ensure_ascii=False)) + "\n").encode("utf-8")
    for table in tables.tables_of(protected, about, words_of(about.language)):
        files[f"tables/{table.name}.csv"] = tables.to_csv(table)
        files[f"tables/{table.name}.csv{SUFFIX}"] = to_csvw(table, about)
    check_numbers(files, protected, about)
    return Rendered(files=files)


def _said(protected: Protected | ProtectedRefusal, words: Words) -> dict[str, object]:
    """What stands first in a language: quoted by whoever lists reports in it."""
    if isinstance(protected, ProtectedRefusal):
        return {"headline": words.given(protected.reason), "foreign": words.is_foreign(protected.reason), "caveats": []}
    said = sentences.headline_of(protected, words).text
    return {"headline": said, "foreign": False, "caveats": list(sentences.caveats_of(protected, words))}


def _in_language(protected: Protected | ProtectedRefusal, about: About, words: Words, *, pdf: bool) -> dict[str, bytes]:
    """The page and the workbooks in one language."""
    page = _page(protected, about, words)
    files = {file_in(REPORT, words.language): page.encode("utf-8")}
    if pdf:
        from counterfoil.report.as_pdf import to_pdf

        files[file_in(PDF, words.language)] = to_pdf(page, environment().get_template("pdf.css").render())
    book = workbook_of(protected, about, tables.tables_of(protected, about, words), words)
    books = {ODS: to_ods(book, environment()), XLSX: to_xlsx(book)}
    return files | {file_in(name, words.language): data for name, data in books.items()}


def environment() -> Environment:
    """The page templates."""
    return templates_of(PACKAGE)


def _page(protected: Protected | ProtectedRefusal, about: About, words: Words) -> str:
    templates = environment()
    shared = {
        "say": words,
        "given": partial(_marked, words),
        "translations": other_languages(about, words, REPORT),
        "is_draft": words.language in about.drafts,
        "provider_words": provider.views_of(about, words),
        "about": about,
        "protected": protected,
        "style": style_of(PACKAGE),
        "version": dict(about.versions).get("counterfoil", ""),
        "date": words.date(about.today),
        "settings": protected.settings,
        "parameters": tables.parameters_table(protected.settings, words),
        "versions": tables.versions_table(about, words),
        "n": numbers,
    }
    if isinstance(protected, ProtectedRefusal):
        return templates.get_template("refusal.html").render(shared)
    return templates.get_template("report.html").render(shared | _view(protected, words))


def other_languages(about: About, words: Words, file: str) -> tuple[tuple[str, str, str], ...]:
    """The other languages of a page: code, its own name, the page in it."""
    others = (language for language in about.languages if language != words.language)
    return tuple((language, LANGUAGES[language], file_in(file, language)) for language in others)


def _marked(words: Words, text: str) -> Markup:
    """A text that the program or a plan gives, in the page's language; marked as English where it is not."""
    found = words.given(text)
    return Markup('<span lang="en">{0}</span>').format(found) if words.is_foreign(text) else Markup.escape(found)


def _view(protected: Protected, words: Words) -> dict[str, object]:
    headline = protected.headline
    return {
        "verdict": sentences.verdict_word(headline, words),
        "headline": sentences.headline_of(protected, words),
        "caveats": sentences.caveats_of(protected, words),
        "power": sentences.power_of(protected, words),
        "scope": sentences.scope_of(protected, words),
        "can": sentences.can_say(protected, words),
        "cannot": sentences.cannot_say(protected, words),
        "dots": _dots(headline, protected.design, words),
        "views": [_measure_view(m, protected, words) for m in protected.measures[: further.FULL_MEASURES]],
        "others": [_measure_view(m, protected, words) for m in further.other_measures(protected)],
        "hidden_others": further.hidden_measures(protected, words),
        "curve": None if protected.survival is None else further.survival_view(protected.survival, protected, words),
        "groups": _groups(protected.design, words),
        "parts": further.part_views(protected, words),
        "parts_notes": further.after_start(protected, words),
        "trust": trust.trust_view(protected, words),
        "linking": linking_lines(protected, words),
        "made": further.sample_of(protected.sample, words),
        "costs": further.cost_lines(protected, words),
        "estimand": sentences.estimand_of(protected, words),
        "flow": [(tables.box_label(box, words), box_text(box.people, words)) for box in protected.attrition.boxes],
        "profile": further.profile_views(protected, words),
        "bands": [(band, protected.balance.count_before(band), protected.balance.count(band)) for band in Band],
        "terms": [(t, tables.before_word(t, words), tables.band_word(t.after, words))
                  for t in protected.balance.terms],
        "hidden": tables.hidden_table(protected, words),
        "edges": EDGES,
        "is_matched": protected.design is Design.MATCHED,
        "is_linked": any(Box.IN_SCOPE in box.boxes for box in protected.attrition.boxes),
    }  # fmt: skip


def people_text(people: Cell, words: Words) -> str:
    """A number of people; "about" where it is rounded."""
    return words("flow.about", number=numbers.plain(people)) if people.about else numbers.plain(people)


def box_text(people: Cell, words: Words) -> str:
    """People in a box of the flow, in words where the number is hidden."""
    return words("flow.hidden") if people.value is None else people_text(people, words)


def _groups(design: Design, words: Words) -> tuple[str, str]:
    return words(f"who.{design.value}.treated_group"), words(f"who.{design.value}.comparison_group")


def _dots(headline: ProtectedMeasure, design: Design, words: Words) -> list[tuple[str, str, Markup]]:
    """The pictures of one hundred people, for a headline that is a rate."""
    if headline.measure.kind is not Kind.RATE:
        return []
    cells = (headline.treated.per_100, headline.comparison.per_100)
    return [
        (
            group,
            words("picture.hidden") if cell.value is None else words("picture.of_100", number=numbers.plain(cell)),
            charts.dots_of(cell, group, side, f"dots-{side}", words),
        )
        for side, (cell, group) in enumerate(zip(cells, _groups(design, words), strict=True))
    ]


def _measure_view(measure: ProtectedMeasure, protected: Protected, words: Words) -> MeasureView:
    kind, design = measure.measure.kind, protected.design
    shown = measure.estimate.difference.value is not None
    reach = f"{charts.axis_reach(measure):,f}" if shown else ""
    less, more = ("lower", "higher") if kind is Kind.AMOUNT else ("less", "more")
    unit = words("results.unit_points") if kind is Kind.RATE else words.given(measure.measure.unit or kind.value)
    return MeasureView(
        measure=measure,
        label=words.given(measure.measure.label),
        verdict=sentences.verdict_word(measure, words),
        statement=sentences.statement_of(measure, design, words),
        bars=charts.bars_of(measure, _groups(design, words), words),
        interval=charts.interval_of(measure, words),
        axis_left=f"{reach} {words(f'results.{less}')}",
        axis_right=f"{reach} {words(f'results.{more}')}",
        unit=unit,
        why_hidden="" if measure.hidden is None else tables.why(measure.hidden, protected.settings, words),
        shows=any(c.value is not None for c in (measure.treated.value, measure.comparison.value, measure.treated.n)),
        rows=_measure_rows(measure, design, words),
    )


def _measure_rows(measure: ProtectedMeasure, design: Design, words: Words) -> tuple[tuple[str, str, str], ...]:
    """Rows of a measure's table: what, people, value."""
    kind, estimate = measure.measure.kind, measure.estimate
    treated, comparison = _groups(design, words)
    rows = [
        (treated, people_text(measure.treated.n, words), numbers.value(measure.treated.value, kind)),
        (comparison, numbers.plain(measure.comparison.n), numbers.value(measure.comparison.value, kind)),
        (words("results.row_difference"), "", numbers.signed(estimate.difference)),
        (words("results.row_low"), "", numbers.signed(estimate.low)),
        (words("results.row_high"), "", numbers.signed(estimate.high)),
        (words("results.row_p"), "", numbers.p_value(estimate.p)),
    ]
    if measure.ratio is not None:
        ratio = measure.ratio
        low, high = numbers.plain(ratio.low), numbers.plain(ratio.high)
        text = words("results.ratio_of", ratio=numbers.plain(ratio.value), low=low, high=high)
        rows.append((words("results.row_ratio"), "", text if ratio.value.value is not None else low))
    for key, beside in (("row_score", measure.score), ("row_adjusted", measure.adjusted)):
        if beside is not None:
            ends = words("results.range_of", low=numbers.signed(beside.low), high=numbers.signed(beside.high))
            rows.append(
                (words(f"results.{key}"), "", ends if beside.low.value is not None else numbers.plain(beside.low))
            )
    return tuple(rows)


def _about_json(about: About) -> dict[str, object]:
    return {
        "title": about.title,
        "provider": about.provider,
        "date": about.today.isoformat(),
        "plan": about.plan_hash,
        "design": about.design_hash,
        "seeds": list(about.seeds),
        "versions": dict(about.versions),
        "asked": dict(about.asked) or None,
        "inputs": dict(about.inputs),
        "language": about.language,
        "languages": list(about.languages),
        "provider_words": {
            "description": about.description or None,
            "response": about.words.response or None,
            "responded": None if about.words.responded is None else about.words.responded.isoformat(),
            "other_evidence": about.words.other_evidence or None,
            "language": about.words.language,
        },
    }
