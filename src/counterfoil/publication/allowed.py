"""R22 on the site: every number of a page of ours is a published one, a date, a count of reports or wording."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from counterfoil.errors import Fault
from counterfoil.publication import charts
from counterfoil.publication.clock import release_time
from counterfoil.publication.diary import texts_of_diary
from counterfoil.publication.feed import BEGINNING
from counterfoil.publication.findings import Findings
from counterfoil.publication.findings_view import reach_of
from counterfoil.publication.pages import Site
from counterfoil.publication.published import Published
from counterfoil.publication.register import VOCABULARIES
from counterfoil.publication.words import site_words
from counterfoil.publication.yearly import years_of
from counterfoil.report import numbers
from counterfoil.report.allow_list import cells_in, numbers_in, without
from counterfoil.report.charts import nice_top
from counterfoil.report.read_back import texts_of
from counterfoil.report.words import SITE

_VOCABULARIES = ("http://www.w3.org/2005/Atom", *VOCABULARIES.values())


def check_numbers(files: Mapping[str, bytes], site: Site, others: Iterable[str]) -> None:
    """Refuse to give out a page with a number that no approved report holds. `others`: names with digits of their own.

    Only files that the site makes are given: approved bytes were checked when they were made.
    """
    allowed, names = _allowed(site), _names(site) | set(others)
    stray = [name for name, data in files.items() if not numbers_in(without(_text(name, data), names)) <= allowed]
    if stray:
        raise Fault(f"A number that no approved report holds is in {', '.join(sorted(stray))}. Nothing was written "
                    "(R22).")  # fmt: skip


def _text(name: str, data: bytes) -> str:
    if name.endswith(".ics"):
        return texts_of_diary(data)
    ending = {"xml": ".html", "jsonld": ".json"}.get(name.rpartition(".")[2], name)
    return texts_of(ending, data)


def _allowed(site: Site) -> set[Decimal]:
    found = {Decimal(count) for count in range(len(site.published) + 1)}  # counts of reports
    found |= {Decimal(month.year) for month in site.months}
    for each in site.published:
        found |= each.result.numbers | _of_dates(each) | {Decimal(each.version), Decimal(len(each.offices))}
        headline = each.result.headline
        if headline is not None and (width := charts.width_of(headline)) is not None:
            found |= {width}
    for date in site.planned:
        found |= _of_date(date)
    found |= {Decimal(count) for year in years_of(site.published) for count in year.excepted.values()}
    found |= _of_findings(site.findings) | _of_axes(site.published)
    for language in site.languages:
        found |= {n for text in site_words(language).words.under(SITE) for n in numbers_in(text)}
    return found | {Decimal(256)}  # SHA-256


def _of_dates(each: Published) -> set[Decimal]:
    return _of_date(each.date) | (_of_date(each.correction.on) if each.correction else set())


def _of_date(date: str) -> set[Decimal]:
    day = dt.date.fromisoformat(date)
    return {Decimal(day.day), Decimal(day.year)}


def _of_findings(findings: Findings) -> set[Decimal]:
    groups = (*findings.kinds, *findings.sectors)
    pooled = [group.pooled for group in groups if group.pooled is not None]
    cells = [cell for each in pooled for cell in cells_in(each) if cell.value is not None]
    return {abs(numbers.exact(cell)) for cell in cells} | {reach_of(group) for group in groups}


def _of_axes(published: Sequence[Published]) -> set[Decimal]:
    """The numbers along the axes of the plot of widths."""
    shown = [(h.people, width) for p in published if (h := p.result.headline) is not None
             and h.people is not None and (width := charts.width_of(h)) is not None]  # fmt: skip
    if not shown:
        return set()
    top = nice_top(max(width for _, width in shown))
    return {top, top / 2} | {Decimal(10) ** power for power in range(12)}


def _names(site: Site) -> set[str]:
    """Texts with digits of their own: titles, hashes, runs, dates and times, places."""
    found = {site.lab, site.contact, *_VOCABULARIES, release_time(BEGINNING).isoformat()}
    found |= {release_time(date).isoformat() for date in site.planned}
    found |= {rule for each in site.published for rule in each.exceptions}
    for each in site.published:
        found |= each.result.texts | set(_given(each, site.languages))
        found |= {each.run, each.digest, each.date, *each.hashes, *each.hashes.values()}
        found |= {release_time(each.date).isoformat()}
        if each.correction:
            found |= {each.correction.on, release_time(each.correction.on).isoformat()}
    return {name for name in found if name}


def _given(each: Published, languages: Sequence[str]) -> Iterable[str]:
    """The headline's label and unit in each language."""
    return (site_words(language).words.given(text) for language in languages for text in each.result.given)
