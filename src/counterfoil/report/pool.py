"""`render_pool`: several protected results together become a page, tables and JSON. In order of date, never of size."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from counterfoil.disclosure import NOT_APPLICABLE, Cell, ProtectedPool, ProtectedRange, ProtectedStudy
from counterfoil.report import charts, numbers, tables
from counterfoil.report.about import About
from counterfoil.report.allow_list import check_pool_numbers
from counterfoil.report.as_csvw import SUFFIX, to_csvw
from counterfoil.report.as_ods import to_ods
from counterfoil.report.as_xlsx import to_xlsx
from counterfoil.report.page import PACKAGE, Rendered, environment, other_languages
from counterfoil.report.pool_sentences import (
    can_of,
    cannot_of,
    case_of,
    caveats_of,
    further_of,
    headline_of,
    interval_of,
    label_of,
    percent_of,
    period_of,
    unit_of,
)
from counterfoil.report.words import DEFAULT_LANGUAGE, LANGUAGES, Words, file_in, words_of
from counterfoil.report.workbook import book_of
from counterfoil.templating import style_of
from counterfoil.units import Kind
from counterfoil.visible import visible

POOL, POOL_PDF, ODS, XLSX = "pool.html", "pool.pdf", "pool.ods", "pool.xlsx"
POOL_PRINTINGS = frozenset(file_in(name, language) for name in (POOL, POOL_PDF, ODS, XLSX) for language in LANGUAGES)
SEVERAL = "Services of one kind"  # the title of several services together, where nobody gives another


@dataclass(frozen=True, slots=True)
class Beside:
    """What a reader must know of the choice. `left_out`: finished runs of the same services that are not in it.

    `all_public`: whether each report that is in it is public.
    """

    left_out: tuple[str, ...] = ()
    all_public: bool = False


def render_pool(pool: ProtectedPool, about: About, beside: Beside, *, pdf: bool = False) -> Rendered:
    """Every file of a pooled result: the same bytes for the same values. A number that is not allowed is a fault (R22).

    Nothing but numbers that reports print goes in, so no audit is needed (decision 29). `pdf` needs Pango.
    """
    files: dict[str, bytes] = {}
    for language in about.languages:
        files |= _in_language(pool, about, beside, words_of(language), pdf=pdf)
    document = {
        **pool_json(pool, about, None, beside),
        "report": POOL,
        "translations": {language: _said(pool, words_of(language)) for language in about.languages[1:]},
    }
    files["pool.json"] = (visible(json.dumps(document, indent=1, ensure_ascii=False)) + "\n").encode("utf-8")
    for table in _tables(pool, about, words_of(about.language)):
        files[f"tables/{table.name}.csv"] = tables.to_csv(table)
        files[f"tables/{table.name}.csv{SUFFIX}"] = to_csvw(table, about)
    check_pool_numbers(files, pool, about, _names(pool, about) | set(beside.left_out))
    return Rendered(files=files)


def _in_language(pool: ProtectedPool, about: About, beside: Beside, words: Words, *, pdf: bool) -> dict[str, bytes]:
    """The page and the workbooks in one language."""
    here = replace(about, title=words.given(about.title))  # a service's own title is in no table, so it stays
    page = _page(pool, here, beside, words)
    files = {file_in(POOL, words.language): page.encode("utf-8")}
    if pdf:
        from counterfoil.report.as_pdf import to_pdf

        files[file_in(POOL_PDF, words.language)] = to_pdf(page, environment().get_template("pdf.css").render())
    made = _tables(pool, here, words)
    book = book_of(here, _cover(pool, here, beside, words), made, words, kind="pool.kind")
    books = {ODS: to_ods(book, environment()), XLSX: to_xlsx(book)}
    return files | {file_in(name, words.language): data for name, data in books.items()}


def _said(pool: ProtectedPool, words: Words) -> dict[str, object]:
    """What stands first in a language."""
    said = f"{headline_of(pool, words)} {interval_of(pool, words)}"
    return {"headline": said, "caveats": list(caveats_of(pool, words))}


def _names(pool: ProtectedPool, about: About) -> set[str]:
    """What the runs say of themselves, in each language: titles, years, hashes, dates."""
    tongues = [words_of(language) for language in about.languages]
    found = {t for s in pool.studies for t in (s.released.run, s.released.title, s.released.plan,
             s.released.date.isoformat(), *(period_of(s, words) for words in tongues))}  # fmt: skip
    found |= {words.given(text) for words in tongues for text in (pool.measure.label, pool.measure.unit, about.title)}
    return {name for name in found if name}


def pool_json(pool: ProtectedPool, about: About, report: str | None, beside: Beside) -> dict[str, Any]:
    """What `pool --json` prints. Differences of rates in points, shares 0-1; null where there is no interval."""
    words, measure = words_of(DEFAULT_LANGUAGE), pool.measure  # keys and texts of JSON are English
    return {
        "pool": about.run,
        "report": report,
        "title": about.title,
        "measure": measure.name,
        "label": measure.label,
        "unit": "points" if measure.kind is Kind.RATE else measure.unit or measure.kind.value,
        "runs": [_study_json(study, words) for study in pool.studies],
        "pooled": {
            "difference": numbers.number(pool.mean.difference),
            "low": numbers.number(pool.mean.low),
            "high": numbers.number(pool.mean.high),
            "p": numbers.number(pool.mean.p),
        },
        "prediction": _ends(pool.prediction),
        "spread": {"value": numbers.number(pool.spread.value), **_ends(pool.spread)},
        "between": {"value": numbers.number(pool.between.value), **_ends(pool.between)},
        "paule_mandel": {
            "difference": numbers.number(pool.check.difference),
            "low": numbers.number(pool.check.low),
            "high": numbers.number(pool.check.high),
        },
        "verdict": None if pool.verdict is None else pool.verdict.value,
        "reliable": pool.reliable,
        "disagrees": ["paule_mandel"] if pool.disagrees else [],
        "headline": f"{headline_of(pool, words)} {interval_of(pool, words)}",
        "caveats": list(caveats_of(pool, words)),
        "left_out": list(beside.left_out),
        "all_public": beside.all_public,
    }


def _study_json(study: ProtectedStudy, words: Words) -> dict[str, Any]:
    about = study.released
    return {
        "run": about.run,
        "title": about.title,
        "period": period_of(study, words),
        "date": about.date.isoformat(),
        "difference": numbers.number(study.difference),
        "low": numbers.number(study.low),
        "high": numbers.number(study.high),
        "share": numbers.number(study.share),
        "reliable": about.reliable,
    }


def _ends(found: ProtectedRange) -> dict[str, float | int | None]:
    return {"low": numbers.number(found.low), "high": numbers.number(found.high)}


def _tables(pool: ProtectedPool, about: About, words: Words) -> tuple[tables.Table, ...]:
    return _table(pool, words), _versions(pool, about, words)


def _table(pool: ProtectedPool, words: Words) -> tables.Table:
    """One row a line of the picture."""
    none = NOT_APPLICABLE
    rows: list[tuple[tables.Entry, ...]] = [
        (s.released.run, s.released.title, period_of(s, words), s.difference, s.low, s.high, s.share)
        for s in pool.studies
    ]
    mean = pool.mean
    rows.append(("pooled", "", "", mean.difference, mean.low, mean.high, none))
    rows.append(("prediction", "", "", none, pool.prediction.low, pool.prediction.high, none))
    return tables.Table("pool", ("run", "title", "period", "difference", "low", "high", "share"), tuple(rows))


def _rows(pool: ProtectedPool, words: Words) -> list[charts.ForestRow]:
    rows, reach = [], charts.forest_reach(pool)
    for place, study in enumerate(pool.studies):
        svg = charts.forest_svg("study", study.low, study.difference, study.high, reach, words, f"forest-{place}")
        share = words("pool.share", share=percent_of(study.share))
        note = "" if study.released.reliable else words("pool.unreliable")
        text = _range(study.difference, study.low, study.high, words)
        rows.append(charts.ForestRow("study", label_of(study, pool, words), note, share, text, svg))
    mean, ahead = pool.mean, pool.prediction
    svg = charts.forest_svg("mean", mean.low, mean.difference, mean.high, reach, words, "forest-mean")
    text = _range(mean.difference, mean.low, mean.high, words)
    rows.append(charts.ForestRow("mean", words("pool.mean"), "", "", text, svg))
    if ahead.low.value is not None:
        svg = charts.forest_svg("prediction", ahead.low, ahead.value, ahead.high, reach, words, "forest-prediction")
        text = words("pool.range_only", low=numbers.signed(ahead.low), high=numbers.signed(ahead.high))
        rows.append(charts.ForestRow("prediction", words("pool.prediction"), "", "", text, svg))
    return rows


def _range(difference: Cell, low: Cell, high: Cell, words: Words) -> str:
    if low.value is None:
        return words("pool.no_range", difference=numbers.signed(difference))
    return words(
        "pool.range", difference=numbers.signed(difference), low=numbers.signed(low), high=numbers.signed(high)
    )


def _figures(pool: ProtectedPool, words: Words) -> list[tuple[str, ...]]:
    """What, value, lower end, upper end."""
    mean, check, ahead, spread = pool.mean, pool.check, pool.prediction, pool.spread
    percent = [f"{percent_of(c)}%" for c in (pool.between.value, pool.between.low, pool.between.high)]
    return [
        (words("pool.row_mean"), *(numbers.signed(c) for c in (mean.difference, mean.low, mean.high))),
        (words("pool.row_p"), numbers.p_value(mean.p), "", ""),
        (words("pool.row_check"), *(numbers.signed(c) for c in (check.difference, check.low, check.high))),
        (words("pool.row_prediction"), "", numbers.signed(ahead.low), numbers.signed(ahead.high)),
        (words("pool.row_spread"), *(numbers.plain(c) for c in (spread.value, spread.low, spread.high))),
        (words("pool.row_between"), percent[0], percent[1], percent[2]),
    ]


def _versions(pool: ProtectedPool, about: About, words: Words) -> tables.Table:
    rows: list[tuple[tables.Entry, ...]] = [(words("versions.lab"), about.lab), *about.versions]
    for study in pool.studies:
        rows.append(
            (f"{words('versions.run')} {study.released.run}", f"{words('versions.plan')} {study.released.plan}")
        )
    return tables.Table("versions", ("what", "value"), tuple(rows))


def _cover(pool: ProtectedPool, about: About, beside: Beside, words: Words) -> tuple[str, ...]:
    """The first sheet: what it comes to, with what it must carry."""
    return (
        f"{about.title}: {words('pool.kind').lower()}",
        *([f"{words('page.draft')}. {words('page.draft_more')}"] if words.language in about.drafts else []),
        about.provider,
        words("page.dated", date=words.date(about.today)),
        f"{headline_of(pool, words)} {interval_of(pool, words)}",
        *caveats_of(pool, words),
        words("pool.all_public" if beside.all_public else "pool.inside"),
        words("workbook.accessible"),
    )


def _page(pool: ProtectedPool, about: About, beside: Beside, words: Words) -> str:
    left_out = beside.left_out
    made, rate = environment(), pool.measure.kind is Kind.RATE
    reach = f"{charts.forest_reach(pool):,f}"
    less, more = ("lower", "higher") if pool.measure.kind is Kind.AMOUNT else ("less", "more")
    return made.get_template("pool.html").render(
        say=words,
        translations=other_languages(about, words, POOL),
        is_draft=words.language in about.drafts,
        about=about,
        style=style_of(PACKAGE),
        version=dict(about.versions).get("counterfoil", ""),
        date=words.date(about.today),
        label=words.given(pool.measure.label),
        verdict=case_of(pool),
        verdict_word=words("pool.two" if pool.verdict is None else f"verdict.{pool.verdict.value}"),
        headline=headline_of(pool, words),
        interval=interval_of(pool, words),
        caveats=caveats_of(pool, words),
        further=further_of(pool, words),
        rows=_rows(pool, words),
        axis_left=f"{reach} {words(f'results.{less}')}",
        axis_right=f"{reach} {words(f'results.{more}')}",
        unit=words("results.unit_points") if rate else unit_of(pool, words),
        whose=words("pool.all_public" if beside.all_public else "pool.inside"),
        can=can_of(pool, words),
        cannot=cannot_of(pool, words),
        figures=_figures(pool, words),
        left_out=words("pool.left_out", runs=", ".join(left_out)) if left_out else words("pool.left_out_none"),
        versions=_versions(pool, about, words),
    )
