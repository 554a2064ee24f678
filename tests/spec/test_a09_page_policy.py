"""A9: every page of ours lets in its own style, by its hash, and runs and fetches nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from counterfoil.report import render
from counterfoil.report.cases import cases_page
from lib.reports import REPORTS
from lib.results import ABOUT

POLICY = re.compile(
    r"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-([^']+)'; "
    r"base-uri 'none'; form-action 'none'\">\n<style>(.*?)</style>",
    re.DOTALL,
)


def pages() -> Iterator[tuple[str, str]]:
    """Reports of every kind in both languages, and the page of every sentence."""
    about = replace(ABOUT, languages=("en", "cy"), drafts=("cy",))
    for name, made in REPORTS.items():
        files = render(made(), about).files
        yield from ((f"{name} {file}", data.decode()) for file, data in files.items() if file.endswith(".html"))
    yield "cases", cases_page()


@pytest.mark.parametrize(("name", "page"), list(pages()), ids=lambda given: given[:40] if "<" not in given else "")
def test_a09_the_policy_names_the_style_of_the_page_and_nothing_else(name: str, page: str) -> None:
    ((digest, style),) = POLICY.findall(page)
    assert base64.b64decode(digest) == hashlib.sha256(style.encode("utf-8")).digest(), name
    assert not re.search(r"<script|<iframe|<img|<object|<embed|\son\w+=|\sstyle=\"|@import|url\(", page)
    assert page.index("Content-Security-Policy") < page.index("<style>") < page.index("<body")
