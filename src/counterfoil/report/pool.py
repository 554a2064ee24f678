"""`render_pool`: several protected results together become a page, tables and JSON. In order of date, never of size."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from counterfoil.disclosure import NOT_APPLICABLE, Cell, ProtectedPool, ProtectedRange, ProtectedStudy, Verdict
from counterfoil.report import charts, numbers, tables
from counterfoil.report.about import About
from counterfoil.report.allow_list import check_pool_numbers
from counterfoil.report.as_csvw import SUFFIX, to_csvw
from counterfoil.report.as_ods import to_ods
from counterfoil.report.as_xlsx import to_xlsx
from counterfoil.report.page import PACKAGE, Rendered, environment
from counterfoil.report.words import DEFAULT_LANGUAGE, Words, words_of
from counterfoil.report.workbook import book_of
from counterfoil.templating import style_of
from counterfoil.units import Kind
from counterfoil.visible import visible

POOL, POOL_PDF = "pool.html", "pool.pdf"
TWO = "two"


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
    words, left_out = words_of(about.language), beside.left_out
    page = _page(pool, about, beside, words)
    files = {POOL: page.encode("utf-8")}
    if pdf:
        from counterfoil.report.as_pdf import to_pdf

        files[POOL_PDF] = to_pdf(page, environment().get_template("pdf.css").render())
    document = {**pool_json(pool, about, None, beside), "report": POOL}
    files["pool.json"] = (visible(json.dumps(document, indent=1, ensure_ascii=False)) + "\n").encode("utf-8")
    made = (_table(pool), _versions(pool, about, words))
    for table in made:
        files[f"tables/{table.name}.csv"] = tables.to_csv(table)
        files[f"tables/{table.name}.csv{SUFFIX}"] = to_csvw(table, about)
    book = book_of(about, _cover(pool, about, beside, words), made, words)
    files |= {"pool.ods": to_ods(book, environment()), "pool.xlsx": to_xlsx(book)}
    names = {t for s in pool.studies for t in (s.released.run, s.released.title, s.released.period, s.released.plan,
             s.released.date.isoformat())} | set(left_out)  # fmt: skip
    check_pool_numbers(files, pool, about, {name for name in names if name})
    return Rendered(files=files)


def pool_json(pool: ProtectedPool, about: About, report: str | None, beside: Beside) -> dict[str, Any]:
    """What `pool --json` prints. Differences of rates in points, shares 0-1; null where there is no interval."""
    words, measure = words_of(DEFAULT_LANGUAGE), pool.measure
    return {
        "pool": about.run,
        "report": report,
        "title": about.title,
        "measure": measure.name,
        "label": measure.label,
        "unit": "points" if measure.kind is Kind.RATE else measure.unit or measure.kind.value,
        "runs": [_study_json(study) for study in pool.studies],
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


def _study_json(study: ProtectedStudy) -> dict[str, Any]:
    about = study.released
    return {
        "run": about.run,
        "title": about.title,
        "period": about.period,
        "date": about.date.isoformat(),
        "difference": numbers.number(study.difference),
        "low": numbers.number(study.low),
        "high": numbers.number(study.high),
        "share": numbers.number(study.share),
        "reliable": about.reliable,
    }


def _ends(found: ProtectedRange) -> dict[str, float | int | None]:
    return {"low": numbers.number(found.low), "high": numbers.number(found.high)}


def _table(pool: ProtectedPool) -> tables.Table:
    """One row a line of the picture."""
    none = NOT_APPLICABLE
    rows: list[tuple[tables.Entry, ...]] = [
        (s.released.run, s.released.title, s.released.period, s.difference, s.low, s.high, s.share)
        for s in pool.studies
    ]
    mean = pool.mean
    rows.append(("pooled", "", "", mean.difference, mean.low, mean.high, none))
    rows.append(("prediction", "", "", none, pool.prediction.low, pool.prediction.high, none))
    return tables.Table("pool", ("run", "title", "period", "difference", "low", "high", "share"), tuple(rows))


def _case(pool: ProtectedPool) -> str:
    return TWO if pool.verdict is None else pool.verdict.value


def _unit(pool: ProtectedPool, words: Words) -> str:
    measure = pool.measure
    return words("power.unit_rate") if measure.kind is Kind.RATE else measure.unit or measure.kind.value


def headline_of(pool: ProtectedPool, words: Words) -> str:
    """What the results come to, in a sentence."""
    measure, case, size = pool.measure, _case(pool), numbers.size(pool.mean.difference)
    if measure.kind is Kind.RATE and pool.verdict in (Verdict.FEWER, Verdict.MORE):
        return words(f"pool.headline_rate.{case}", size=size, noun=measure.noun or words("noun.rate"))
    return words(f"pool.headline.{case}", size=size, unit=_unit(pool, words))


def interval_of(pool: ProtectedPool, words: Words) -> str:
    """How sure of it a reader can be."""
    near, far = sorted((pool.mean.low, pool.mean.high), key=lambda cell: abs(cell.value or 0.0))
    return words(
        f"pool.interval.{_case(pool)}",
        label=pool.measure.label,
        unit=_unit(pool, words),
        near=numbers.size(near),
        far=numbers.size(far),
        fewer=numbers.size(pool.mean.low),
        more=numbers.size(pool.mean.high),
    )


def caveats_of(pool: ProtectedPool, words: Words) -> tuple[str, ...]:
    """What the headline must carry."""
    found = () if pool.reliable else (words("pool.caution"),)
    return (*found, *((words("pool.disagrees"),) if pool.disagrees else ()))


def _further(pool: ProtectedPool, words: Words) -> tuple[str, ...]:
    if pool.verdict is None:
        return ()
    one = len({study.released.title for study in pool.studies}) == 1
    ends = {"low": numbers.signed(pool.prediction.low), "high": numbers.signed(pool.prediction.high)}
    between = [_percent(c) for c in (pool.between.value, pool.between.low, pool.between.high)]
    return (
        words("pool.further_average", label=words("pool.one_service" if one else "pool.services")),
        words("pool.further_prediction", unit=_unit(pool, words), **ends),
        words("pool.further_between", between=between[0], low=between[1], high=between[2]),
    )


def _percent(cell: Cell) -> str:
    return numbers.plain(cell) if cell.value is None else f"{numbers.times_hundred(cell):,f}"


def _can(pool: ProtectedPool, words: Words) -> tuple[str, ...]:
    if pool.verdict is None:
        return (words("pool.can.side"),)
    chance = "possible" if pool.verdict is Verdict.NOT_ENOUGH_EVIDENCE else "unlikely"
    return (
        words("pool.can.average", headline=headline_of(pool, words)),
        words("pool.can.range", interval=interval_of(pool, words)),
        words(f"pool.can.chance_{chance}"),
    )


def _cannot(pool: ProtectedPool, words: Words) -> tuple[str, ...]:
    last = "cause" if pool.verdict in (Verdict.FEWER, Verdict.MORE) else "failed"
    return tuple(words(f"pool.cannot.{key}") for key in ("ranking", "each", last))


def _rows(pool: ProtectedPool, words: Words) -> list[charts.ForestRow]:
    rows, reach = [], charts.forest_reach(pool)
    for place, study in enumerate(pool.studies):
        svg = charts.forest_svg("study", study.low, study.difference, study.high, reach, words, f"forest-{place}")
        share = words("pool.share", share=_percent(study.share))
        note = "" if study.released.reliable else words("pool.unreliable")
        text = _range(study.difference, study.low, study.high, words)
        rows.append(charts.ForestRow("study", _label(study, pool), note, share, text, svg))
    mean, ahead = pool.mean, pool.prediction
    svg = charts.forest_svg("mean", mean.low, mean.difference, mean.high, reach, words, "forest-mean")
    text = _range(mean.difference, mean.low, mean.high, words)
    rows.append(charts.ForestRow("mean", words("pool.mean"), "", "", text, svg))
    if ahead.low.value is not None:
        svg = charts.forest_svg("prediction", ahead.low, ahead.value, ahead.high, reach, words, "forest-prediction")
        text = words("pool.range_only", low=numbers.signed(ahead.low), high=numbers.signed(ahead.high))
        rows.append(charts.ForestRow("prediction", words("pool.prediction"), "", "", text, svg))
    return rows


def _label(study: ProtectedStudy, pool: ProtectedPool) -> str:
    """Title and years; the run as well where two would be called the same."""
    named = [(s.released.title, s.released.period) for s in pool.studies]
    about = study.released
    twice = named.count((about.title, about.period)) > 1
    return ", ".join(part for part in (about.title, about.period, about.run if twice else "") if part)


def _range(difference: Cell, low: Cell, high: Cell, words: Words) -> str:
    if low.value is None:
        return words("pool.no_range", difference=numbers.signed(difference))
    return words(
        "pool.range", difference=numbers.signed(difference), low=numbers.signed(low), high=numbers.signed(high)
    )


def _figures(pool: ProtectedPool, words: Words) -> list[tuple[str, ...]]:
    """What, value, lower end, upper end."""
    mean, check, ahead, spread = pool.mean, pool.check, pool.prediction, pool.spread
    percent = [f"{_percent(c)}%" for c in (pool.between.value, pool.between.low, pool.between.high)]
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
    less, more = ("less", "more") if pool.measure.kind in (Kind.RATE, Kind.COUNT) else ("lower", "higher")
    return made.get_template("pool.html").render(
        say=words,
        translations=(),
        is_draft=False,
        about=about,
        style=style_of(PACKAGE),
        version=dict(about.versions).get("counterfoil", ""),
        date=words.date(about.today),
        label=pool.measure.label,
        verdict=_case(pool),
        verdict_word=words("pool.two") if pool.verdict is None else words(f"verdict.{pool.verdict.value}"),
        headline=headline_of(pool, words),
        interval=interval_of(pool, words),
        caveats=caveats_of(pool, words),
        further=_further(pool, words),
        rows=_rows(pool, words),
        axis_left=f"{reach} {words(f'results.{less}')}",
        axis_right=f"{reach} {words(f'results.{more}')}",
        unit=words("results.unit_points") if rate else _unit(pool, words),
        whose=words("pool.all_public" if beside.all_public else "pool.inside"),
        can=_can(pool, words),
        cannot=_cannot(pool, words),
        figures=_figures(pool, words),
        left_out=words("pool.left_out", runs=", ".join(left_out)) if left_out else words("pool.left_out_none"),
        versions=_versions(pool, about, words),
    )
