"""The pages of the site, in one language: published values in, files out. The same values give the same bytes."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from counterfoil.publication.findings import Findings
from counterfoil.publication.findings_view import counts_view, group_view, widths_view
from counterfoil.publication.published import Published
from counterfoil.publication.register import address_of, place_of
from counterfoil.publication.words import ENGLISH, SiteWords, site_words
from counterfoil.report.visible import finalise

LATEST = 5  # reports on the first page
MENU = (("home", "index.html"), ("findings", "findings.html"), ("calendar", "calendar.html"),
        ("search", "search.html"), ("register", "register.html"), ("corrections", "corrections.html"),
        ("about", "about.html"))  # fmt: skip
_FORMATS = (("csv-metadata.json", "csvw"), ("html", "html"), ("json", "json"), ("csv", "csv"), ("ods", "ods"),
            ("xlsx", "xlsx"), ("pdf", "pdf"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Site:
    """What every page may draw on. `planned`: days of releases to come; `languages`: those that are switched on."""

    lab: str
    contact: str
    published: tuple[Published, ...]
    planned: tuple[str, ...]
    today: dt.date
    months: tuple[dt.date, ...]
    findings: Findings
    languages: tuple[str, ...]


@cache
def environment() -> Environment:
    """The site's templates, made once. Everything that is filled in is escaped."""
    return Environment(
        loader=PackageLoader("counterfoil.publication", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalise,
    )


def pages_of(site: Site, language: str) -> dict[str, bytes]:
    """Every page of a language. English stands at the root, Welsh under `cy/`; reports' own files only at the root."""
    words, base = site_words(language), folder_of(language)
    made = {name: _page(site, words, name, 0, **said) for name, said in _views(site, words).items()}
    for each in site.published:
        folder = "" if language == ENGLISH else f"../../../reports/{each.run}/"
        made[address_of(each.run)] = _page(
            site, words, "report.html", 2, each=each, here=address_of(each.run), folder=folder,
            versions=_versions(site.published, each),
        )  # fmt: skip
        if each.correction and language == ENGLISH:
            place = f"reports/{each.run}/report.html"
            made[place] = _page(site, words, "notice.html", 2, each=each, here=place, alone=True)
    return {f"{base}{name}": text.encode("utf-8") for name, text in made.items()}


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
            "months": [(month, [d for d in site.planned if d[:7] == f"{month:%Y-%m}"]) for month in site.months],
            "past": _by(site.published, lambda each: each.date),
        },
        "search.html": {"ways": _ways(site.published, words)},
        "register.html": {"published": site.published, "root": "../" if words.language != ENGLISH else ""},
        "corrections.html": {"corrected": [each for each in site.published if each.correction]},
        "about.html": {},
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


def _page(site: Site, words: SiteWords, template: str, deep: int, **said: object) -> str:
    looks, digest = style()
    here = str(said.pop("here", template))
    name = {"index.html": "home.html"}.get(template, template)
    shared: dict[str, object] = {
        "say": words,
        "lab": site.lab,
        "contact": site.contact,
        "style": looks,
        "style_hash": digest,
        "up": "../" * deep,
        "here": here,
        "menu": MENU,
        "other": None if said.pop("alone", False) else _other(site, words, here, deep),
        "address": address_of,
        "place": place_of,
        "format": _format,
    }
    return environment().get_template(name).render(shared | said)


def _other(site: Site, words: SiteWords, here: str, deep: int) -> Mapping[str, str] | None:
    """The same page in the other language."""
    others = [language for language in site.languages if language != words.language]
    if not others:
        return None
    up = "../" * (deep + (words.language != ENGLISH))
    there = site_words(others[0])
    return {"href": f"{up}{folder_of(others[0])}{here}", "language": others[0], "name": there("site.language_name")}


@cache
def style() -> tuple[Markup, str]:
    """The style, and its hash, which alone the page lets in."""
    text = environment().get_template("style.css").render()
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), f"sha256-{digest}"


def _format(name: str) -> str:
    return next((form for ending, form in _FORMATS if name.endswith(ending)), "other")
