"""Power and "how many more people" against R's power.prop.test, and the command's page.

R's help page of `power.prop.test` works p1 = .50, p2 = .75, power = .90 to n = 76.7 in each group. Its test pools the
two rates for its error; ours, as the Justice Data Lab's, does not, so ours asks for a few per cent fewer.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from counterfoil.effect import inconclusive
from lib.results import rate_effect
from lib.small_lab import call_here

UNPOOLED = 0.05  # at .50 against .75 the unpooled error is 4% fewer people; nearer rates differ less
Z_975, Z_90, Z_80 = 1.959964, 1.281552, 0.841621


def power_prop_test(p1: float, p2: float, z_power: float) -> float:
    """People in each group, by the equation that R's power.prop.test solves (strict = FALSE)."""
    null = Z_975 * math.sqrt((p1 + p2) * (1 - (p1 + p2) / 2))
    other = z_power * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    return float(((null + other) / (p1 - p2)) ** 2)


def test_the_equation_gives_the_figure_of_rs_help_page() -> None:
    assert round(power_prop_test(0.50, 0.75, Z_90), 1) == 76.7


@pytest.mark.parametrize(("treated", "comparison"), [(35, 40), (25, 30), (48, 52), (10, 14)])
def test_people_needed_are_rs(treated: int, comparison: int) -> None:
    """Two groups of 100, inconclusive: both must grow to what R asks for at the rates that were seen."""
    said = inconclusive(rate_effect((treated, 100), (comparison, 100)))
    assert said is not None
    assert said.people_needed == pytest.approx(power_prop_test(treated / 100, comparison / 100, Z_80), rel=UNPOOLED)
    assert said.more_people == (said.people_needed or 0) - 100


def test_the_page_and_the_curve(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    page, curve = tmp_path / "power.html", tmp_path / "curve.svg"
    assert call_here(capfd, "power", "--people", 240, "--rate", 0.4, "--out", page).code == 0
    assert call_here(capfd, "power", "--people", 240, "--rate", 0.4, "--out", curve).code == 0
    html, svg = page.read_text(), curve.read_text()
    assert svg in html
    assert svg.count("<circle") == 4  # one for each share of the table
    assert "240 people: 8.4 points." in svg  # said to those who cannot see it
    assert html.count("<caption") == html.count("<table") == 1
    assert not re.search(r"<script|<link|<img", html)
    assert call_here(capfd, "power", "--people", 240, "--out", tmp_path / "curve.png").code == 2
    assert call_here(capfd, "power", "--people", 240, "--out", tmp_path / "none" / "curve.svg").code == 2
    assert call_here(capfd, "power", "--people", 240, "--change", 60).code == 2  # nobody would be left
