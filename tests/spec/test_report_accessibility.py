"""axe finds nothing on a report's page, on a telephone and on a screen, in English and in Welsh (WCAG 2.2 AA)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from spec.test_pool_and_power_in_welsh import BOTH, pool_of

from counterfoil.cli.power import _view
from counterfoil.effect import power_table
from counterfoil.report import Beside, render, render_pool
from counterfoil.report.about import ProviderWords
from counterfoil.report.cases import cases_page
from counterfoil.report.power import power_files
from counterfoil.report.words import file_in
from lib.accessibility import look_at, why_no_axe
from lib.reports import REPORTS
from lib.results import ABOUT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_no_axe()), reason=why_no_axe())]
WIDTHS = (320, 1280)
WORDS = ProviderWords(response="x7" * 5_000, responded=dt.date(2026, 2, 27), other_evidence="A survey.")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("file", ["report.html", "report.cy.html"])
@pytest.mark.parametrize("name", ["with_everything", "inconclusive", "refused"])
def test_axe_finds_nothing_and_the_page_does_not_scroll_sideways(
    name: str, file: str, width: int, tmp_path: Path
) -> None:
    about = replace(ABOUT, languages=("en", "cy"), drafts=("cy",), words=WORDS)
    found = look_at(render(REPORTS[name](), about).files[file].decode(), width, tmp_path)
    assert found.violations == ()
    assert found.passes > 30
    assert found.width <= width


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["en", "cy"])
@pytest.mark.parametrize("case", ["fewer", "two"])
def test_axe_finds_nothing_on_the_page_of_several_results(case: str, language: str, width: int, tmp_path: Path) -> None:
    page = render_pool(pool_of(case), BOTH, Beside()).files[file_in("pool.html", language)].decode()
    found = look_at(page, width, tmp_path)
    assert found.violations == ()
    assert found.passes > 20
    assert found.width <= width


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["en", "cy"])
def test_axe_finds_nothing_on_the_page_of_what_people_could_show(language: str, width: int, tmp_path: Path) -> None:
    files = power_files(_view(power_table(240, 0.4)), "power.html", ("en", "cy"), ("cy",))
    found = look_at(files[file_in("power.html", language)], width, tmp_path)
    assert found.violations == ()
    assert found.passes > 15
    assert found.width <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_on_the_page_of_every_sentence(width: int, tmp_path: Path) -> None:
    found = look_at(cases_page(), width, tmp_path)
    assert found.violations == ()
    assert found.width <= width


def test_what_is_wrong_is_found(tmp_path: Path) -> None:
    """The check above can fail."""
    page = render(REPORTS["refused"](), ABOUT).files["report.html"].decode()
    wrong = page.replace("</main>", '<img src="x"><p style="color:#ccc;width:900px">pale</p></main>')
    found = look_at(wrong, 320, tmp_path)
    assert {"image-alt", "color-contrast"} <= {rule for rule, _ in found.violations}
    assert found.width > 320
