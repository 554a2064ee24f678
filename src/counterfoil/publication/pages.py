"""The pages of the site, in one language: published values in, files out. The same values give the same bytes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from counterfoil.publication.diary import DIARY
from counterfoil.publication.findings import Findings
from counterfoil.publication.findings_view import counts_view, group_view, widths_view
from counterfoil.publication.published import Published
from counterfoil.publication.register import REPORT_PAGES, address_of, place_of
from counterfoil.publication.words import ENGLISH, SiteWords, site_words
from counterfoil.publication.yearly import years_of
from counterfoil.templating import style_of, templates_of

PACKAGE = "counterfoil.publication"  # whose templates these are
LATEST = 5  # reports on the first page
MENU = (("home", "index.html"), ("findings", "findings.html"), ("calendar", "calendar.html"),
        ("search", "search.html"), ("register", "register.html"), ("corrections", "corrections.html"),
        ("about", "about.html"))  # fmt: skip
_FORMATS = (("csv-metadata.json", "csvw"), ("html", "html"), ("json", "json"), ("csv", "csv"), ("ods", "ods"),
            ("xlsx", "xlsx"), ("pdf", "pdf"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Site:
    """What every page may draw on. `planned`: days of releases to come; `months`: from this one to the last that the
    calendar takes; `languages`: those that are switched on and signed."""

    lab: str
    contact: str
    published: tuple[Published, ...]
    planned: tuple[str, ...]
    today: dt.date
    months: tuple[dt.date, ...]
    findings: Findings
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page stands: its address within its language, or within the site for a notice; how it gets to others."""

    here: str
    up: str  # to the first page of its language
    twins: tuple[Mapping[str, str], ...]  # the same page in every language there is, itself too


def pages_of(site: Site, language: str) -> dict[str, bytes]:
    """Every page of a language. English stands at the root, Welsh under `cy/`; reports' own files only at the root."""
    words, base = site_words(language), folder_of(language)
    made = {name: _page(site, words, name, _place(site, words, name), **said)
            for name, said in _views(site, words).items()}  # fmt: skip
    for each in site.published:
        here, page = address_of(each.run), page_of(each, language)
        folder = "" if language == ENGLISH else f"../../../reports/{each.run}/"
        made[here] = _page(
            site, words, "report.html", _place(site, words, here), each=each, folder=folder, page=page,
            page_language=REPORT_PAGES[page], versions=_versions(site.published, each),
        )  # fmt: skip
    return {f"{base}{name}": text.encode("utf-8") for name, text in made.items()}


def notices_of(site: Site) -> dict[str, bytes]:
    """A notice at the address of each page of a corrected report, in that page's language if the site has it."""
    made = {}
    for each in (each for each in site.published if each.correction):
        for page in (name for name in REPORT_PAGES if name in each.files):
            language = REPORT_PAGES[page] if REPORT_PAGES[page] in site.languages else ENGLISH
            here = _Place(f"reports/{each.run}/{page}", f"../../{folder_of(language)}", ())
            text = _page(site, site_words(language), "notice.html", here, each=each, page=page)
            made[here.here] = text.encode("utf-8")
    return made


def page_of(each: Published, language: str) -> str:
    """The name of a report's page in a language, or else in the report's own."""
    return next(name for wanted in (language, each.result.language) for name, there in REPORT_PAGES.items()
                if there == wanted and name in each.files)  # fmt: skip


def folder_of(language: str) -> str:
    """Where a language's pages lie."""
    return "" if language == ENGLISH else f"{language}/"


def _views(site: Site, words: SiteWords) -> dict[str, Mapping[str, object]]:
    found, current = site.findings, [each for each in site.published if each.correction is None]
    return {
        "index.html": {"latest": current[:LATEST], "next": site.planned[0] if site.planned else ""},
        "findings.html": {
            "counts": counts_view(found),
            "total": len(current),
            "unreliable": found.unreliable,
            "kinds": [group_view(group, words, f"k{i}") for i, group in enumerate(found.kinds)],
            "sectors": [group_view(group, words, f"s{i}") for i, group in enumerate(found.sectors)],
            "widths": widths_view(current, words),
        },
        "calendar.html": {
            "months": [
                (month, days)
                for month in site.months
                if (days := [d for d in site.planned if d[:7] == f"{month:%Y-%m}"])
            ],
            "until": site.months[-1],
            "diary": DIARY,
            "past": _by(site.published, lambda each: each.date),
        },
        "search.html": {"ways": _ways(site.published, words)},
        "register.html": {"published": site.published, "root": "../" if words.language != ENGLISH else ""},
        "corrections.html": {"corrected": [each for each in site.published if each.correction]},
        "about.html": {"years": years_of(site.published)},
        "accessibility.html": {},
    }


def _ways(published: Sequence[Published], words: SiteWords) -> list[dict[str, object]]:
    kinds = _by(published, lambda each: words(f"kind.{each.planned.intervention.value}"))
    providers = _by(published, lambda each: each.result.provider)
    return [
        {"id": "by_kind", "groups": sorted(kinds, key=lambda item: item[0])},
        {"id": "by_year", "groups": _by(published, lambda each: each.date[:4])},
        {"id": "by_provider", "groups": sorted(providers, key=lambda item: (item[0].casefold(), item[0]))},
    ]


def _by(published: Sequence[Published], name_of: Callable[[Published], str]) -> list[tuple[str, list[Published]]]:
    """Reports by what they have in common, in the order of the first of each."""
    found: dict[str, list[Published]] = {}
    for each in published:
        found.setdefault(name_of(each), []).append(each)
    return list(found.items())


def _versions(published: Sequence[Published], each: Published) -> list[Published]:
    """Every version of a report, the first one first."""
    by_run = {other.run: other for other in published}
    first = each
    while first.replaces in by_run:
        first = by_run[first.replaces]
    found = [first]
    while found[-1].correction and found[-1].correction.replaced_by in by_run:
        found.append(by_run[found[-1].correction.replaced_by])
    return found


def _page(site: Site, words: SiteWords, template: str, place: _Place, **said: object) -> str:
    name = {"index.html": "home.html"}.get(template, template)
    shared: dict[str, object] = {
        "say": words,
        "lab": site.lab,
        "contact": site.contact,
        "style": style_of(PACKAGE),
        "up": place.up,
        "here": place.here,
        "menu": MENU,
        "twins": place.twins,
        "address": address_of,
        "place": place_of,
        "format": _format,
    }
    return templates_of(PACKAGE).get_template(name).render(shared | said)


def _place(site: Site, words: SiteWords, here: str) -> _Place:
    """A page that every language has, at the same address under its folder."""
    up = "../" * here.count("/")
    root = up if words.language == ENGLISH else f"{up}../"
    return _Place(here, up, tuple(
        {"language": each, "href": f"{root}{folder_of(each)}{here}", "name": site_words(each)("all.language_name")}
        for each in site.languages
    ))  # fmt: skip


def _format(name: str) -> str:
    return next((form for ending, form in _FORMATS if name.endswith(ending)), "other")
