"""The site in two languages: each page twice, with the same numbers; never while a text of it is a draft."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

from counterfoil import publication
from counterfoil.report.allow_list import numbers_in
from counterfoil.report.read_back import texts_of
from counterfoil.report.words import words_of
from lib import reports
from lib.site import DAY, V1, V2, noon, press

LATER, LAST = "2026-08-10", "2026-09-14"
ENGLISH_ONLY = "00000000000c"
FOREIGN = re.compile(r'<(\w+)[^>]* lang="(?!cy)[^"]*"[^>]*>.*?</\1>', re.DOTALL)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A report in both languages that was corrected, its correction, a refusal in English, and a day to come."""
    lab, both = press(tmp_path_factory.mktemp("site") / "lab").in_welsh(), ("en", "cy")
    lab = lab.published(V1, reports.fewer(), languages=both)
    lab = lab.published(
        V2, reports.unreliable(), LATER, languages=both, corrects=V1, reason="The dates of one site were wrong."
    )
    lab = lab.published(ENGLISH_ONLY, reports.not_suitable(), LAST)
    lab.add("00000000000d", reports.more()).clear("00000000000d").plan("00000000000d", "2026-11-02")
    return dict(lab.site(noon(LAST)))


def pages(site: dict[str, bytes]) -> list[str]:
    """Pages of the site itself: those of reports are approved bytes, each with its own twin."""
    return [n for n in site if n.endswith(".html") and not n.startswith("cy/") and "/report." not in n]


def test_every_page_has_its_twin_at_the_same_address_with_the_same_numbers(site: dict[str, bytes]) -> None:
    assert len(pages(site)) == 11
    assert {n.removeprefix("cy/") for n in site if n.startswith("cy/")} == {*pages(site), "feed.xml", "releases.ics"}
    for name in pages(site):
        english, welsh = (texts_of(name, site[each]) for each in (name, f"cy/{name}"))
        assert numbers_in(english) == numbers_in(welsh), name


def test_each_page_says_its_language_and_where_its_twin_is(site: dict[str, bytes]) -> None:
    for name in pages(site):
        for language, page in (("en", name), ("cy", f"cy/{name}")):
            text = site[page].decode()
            assert text.startswith(f'<!DOCTYPE html>\n<html lang="{language}">')
            heads = re.findall(r'<link rel="alternate" hreflang="(\w+)" href="([^"]+)">', text)
            assert {there: reach(page, href) for there, href in heads} == {"en": name, "cy": f"cy/{name}"}
            shown = re.findall(r'<a href="([^"]+)" hreflang="(\w+)" lang="(\w+)">(\w+)</a>', text)
            other = {"en": ("cy", "cy", "Cymraeg"), "cy": ("en", "en", "English")}[language]
            assert [found[1:] for found in shown] == [other]


def reach(page: str, href: str) -> str:
    """Where a link of a page leads, as a browser has it."""
    parts: list[str] = []
    for part in (Path(page).parent / href).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def test_every_link_of_both_languages_leads_to_a_file(site: dict[str, bytes]) -> None:
    found = 0
    for name, data in site.items():
        if name.endswith(".html"):
            for target in re.findall(r'(?<![\w-])href="([^"#]+)"', data.decode()):
                assert reach(name, target) in site, (name, target)
                found += 1
    assert found > 300


def test_a_welsh_page_has_no_english_that_is_not_marked(site: dict[str, bytes]) -> None:
    english, welsh = words_of("en"), words_of("cy")
    texts = [
        html.unescape(FOREIGN.sub(" ", site[f"cy/{name}"].decode().partition("<body>")[2])) for name in pages(site)
    ]
    for key, said in english.sentences.items():
        if key.startswith("site.") and "{" not in said and len(said) > 8 and said != welsh.sentences[key]:
            assert not any(f">{said}<" in text or f"{said} " in text for text in texts), key
    kept = [("The dates of one site were wrong", "corrections.html"), ("Bridge to work", "index.html")]
    for text, name in kept:  # what people wrote, in English and marked so
        assert f'<span lang="en">{text}' in site[f"cy/{name}"].decode()


def test_the_report_speaks_for_itself_in_the_language_it_was_approved_in(site: dict[str, bytes]) -> None:
    said = words_of("cy").sentences
    page = site[f"cy/reports/{V1}/index.html"].decode()
    assert said["headline.rate.fewer"].partition("{")[0] in html.unescape(page)
    assert f'href="../../../reports/{V1}/as-published/report.cy.html" hreflang="cy"' in page
    page = site[f"cy/reports/{ENGLISH_ONLY}/index.html"].decode()
    assert f'href="../../../reports/{ENGLISH_ONLY}/report.html" hreflang="en"' in page
    assert said["site.report.only_here"] in page
    assert "3 Awst 2026" in page or "14 Medi 2026" in page
    assert "9:30yb" in site["cy/calendar.html"].decode()
    assert "Tachwedd 2026" in site["cy/calendar.html"].decode()


def test_each_page_of_a_corrected_report_gives_way_to_a_notice_in_its_language(site: dict[str, bytes]) -> None:
    for page, language in (("report.html", "en"), ("report.cy.html", "cy")):
        notice = site[f"reports/{V1}/{page}"].decode()
        assert f'<html lang="{language}">' in notice
        assert f'href="as-published/{page}"' in notice
        assert f"as-published/{page}" in {n.removeprefix(f"reports/{V1}/") for n in site}
        assert f'<html lang="{language}">' in site[f"reports/{V1}/as-published/{page}"].decode()


def test_while_a_text_is_a_draft_the_site_is_in_english_and_says_which(tmp_path: Path) -> None:
    lab = press(tmp_path / "lab").in_welsh(signed=False).published(V1, reports.fewer())
    site = lab.site(noon(DAY))
    assert not any(name.startswith("cy/") for name in site)
    assert 'hreflang="cy"' not in site["index.html"].decode()
    done = subprocess.run(
        [sys.executable, "-m", "counterfoil", "publish", str(lab.lab.paths.root)], capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert "Its pages in Cymraeg were not made" in done.stdout
    assert "page.skip" in done.stdout
    built = publication.build(lab.lab, now=noon(DAY))
    assert built.languages == ("en",)
    assert set(built.drafts["cy"]) >= {"site.home.lead", "page.skip", "given: days"}
