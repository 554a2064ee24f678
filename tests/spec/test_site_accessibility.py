"""axe finds nothing on any page of the site, on a telephone and on a screen (WCAG 2.2 AA)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib import reports
from lib.accessibility import look_at, why_no_axe
from lib.site import V1, V2, noon, press

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_no_axe()), reason=why_no_axe())]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every page, in both languages, of a site with a correction, a long title and a refusal.

    The reports' own pages have their test.
    """
    lab, both = press(tmp_path_factory.mktemp("site") / "lab").in_welsh(), ("en", "cy")
    lab = lab.published(V1, reports.fewer(), title="y" * 190, languages=both)
    lab = lab.published(V2, reports.unreliable(), "2026-08-10", corrects=V1, reason="A site was of another year.")
    lab = lab.published("00000000000c", reports.not_suitable(), "2026-09-14")
    site = lab.site(noon("2026-09-14"))
    names = [n for n in site if n.endswith(".html") and "/report." not in n]
    kept = {name: site[name].decode() for name in names}
    notices = {name: site[f"reports/{V1}/{name}"].decode() for name in ("report.html", "report.cy.html")}
    return kept | notices


@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_and_no_page_scrolls_sideways(pages: dict[str, str], width: int, tmp_path: Path) -> None:
    assert len(pages) == 24
    for name, page in pages.items():
        found = look_at(page, width, tmp_path)
        assert (name, found.violations) == (name, ())
        assert found.width <= width, name
