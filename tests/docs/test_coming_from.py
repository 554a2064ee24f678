"""The page for users of other programs, run as it stands: weights are MatchIt's, effects Stata's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib.matchit_witness import read_lalonde614

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "coming-from.md"
SAME_WEIGHT = 1e-12  # MatchIt's weights are stored with 17 digits
STATA_EFFECT = 2e-6  # relative; Stata works on scores of single precision


@pytest.fixture(scope="module")
def names(shared: Path) -> dict[str, Any]:
    code = "\n".join(re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))
    found: dict[str, Any] = {"ORACLES": shared / "oracles"}
    exec(compile(code, str(PAGE), "exec"), found)
    return found


def test_weights_are_matchits(shared: Path, names: dict[str, Any]) -> None:
    lalonde = read_lalonde614(shared)
    assert len(names["weights"]) == 5
    for spec, weight in names["weights"].items():
        np.testing.assert_allclose(weight, lalonde.weight_of(spec), rtol=0, atol=SAME_WEIGHT, err_msg=spec)


def test_effects_are_statas(shared: Path, names: dict[str, Any]) -> None:
    stored = json.loads((shared / "oracles/inference/stata_psmatch2_nsw445.json").read_text("utf-8"))["published"]
    for name, effect in names["effects"].items():
        assert effect == pytest.approx(stored[name]["att"], rel=STATA_EFFECT), name


def test_entropy_balancing_is_rs(shared: Path, names: dict[str, Any]) -> None:
    stored = json.loads((shared / "oracles/inference/entropy_balancing.json").read_text("utf-8"))["lalonde614"]
    assert names["balanced"].ess == pytest.approx(stored["ess"], rel=1e-10)
