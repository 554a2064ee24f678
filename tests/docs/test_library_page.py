"""The page on the library, run as it stands: what a reader would type, against what is known of LaLonde's men."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "use-the-library.md"
TRIAL_DOLLARS = 1_794.0  # Dehejia and Wahba 1999
AS_THEY_STAND = -8_498.0  # 6,349.14 - 14,846.66, before any matching
BIAS_THAT_MAY_REMAIN = 0.15  # of the difference between the two (METHODS 7)


def test_the_library_page_runs_and_comes_near_the_trial(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = "\n".join(re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))
    names: dict[str, Any] = {"DATA": shared / "data" / "impact"}
    exec(compile(code, str(PAGE), "exec"), names)
    answer, outcome, treated = names["answer"], names["outcomes"]["earnings"], names["comparison"].treated
    assert outcome[treated].mean() - outcome[~treated].mean() == pytest.approx(AS_THEY_STAND, abs=1)
    assert answer.low <= TRIAL_DOLLARS <= answer.high
    assert abs(answer.difference - TRIAL_DOLLARS) < BIAS_THAT_MAY_REMAIN * abs(AS_THEY_STAND - TRIAL_DOLLARS)
    assert any("alike after matching" in warning for warning in names["comparison"].warnings)
    assert "dollars (95% interval" in capsys.readouterr().out
    assert_the_trial_and_prison_work_come_out(names)


def assert_the_trial_and_prison_work_come_out(names: dict[str, Any]) -> None:
    """The published figures of METHODS 5."""
    lots, again, work = names["lots"].compatible, names["again"].compatible, names["work"]
    assert (round(lots.difference, 1), round(lots.low, 1), round(lots.high, 1)) == (-8.3, -16.6, -0.1)
    assert again.low < 0.0 < again.high
    assert not work.reliable
    assert names["free"].difference.estimate > 0.0
    assert all(picture.svg.startswith("<svg") for picture in (*names["pictures"], names["curves"]))
