"""axe finds nothing on any page of the site, on a telephone and on a screen (WCAG 2.2 AA)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lib import reports
from lib.accessibility import look_at, why_no_axe
from lib.site import V1, V2, noon, press

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_no_axe()), reason=why_no_axe())]
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')  # keeps axe out as well


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every page of a site with a correction, a long title and a refusal; the reports' own pages have their test."""
    lab = press(tmp_path_factory.mktemp("site") / "lab").published(V1, reports.fewer(), title="y" * 190)
    lab = lab.published(V2, reports.unreliable(), "2026-08-10", corrects=V1, reason="A site was of another year.")
    lab = lab.published("00000000000c", reports.not_suitable(), "2026-09-14")
    site = lab.site(noon("2026-09-14"))
    names = [n for n in site if n.endswith(".html") and not n.endswith("/report.html")]
    kept = {name: site[name].decode() for name in names}
    return kept | {"notice": site[f"reports/{V1}/report.html"].decode()}


@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_and_no_page_scrolls_sideways(pages: dict[str, str], width: int, tmp_path: Path) -> None:
    assert len(pages) == 12
    for name, page in pages.items():
        found = look_at(POLICY.sub("", page), width, tmp_path)
        assert (name, found.violations) == (name, ())
        assert found.width <= width, name
