"""E-values against R's EValue 4.1.4 and the paper; Rosenbaum's bounds against his formulas and sensitivitymv.

`senmv` trims at 2.5 medians unless told otherwise. `rbounds_binarysens` of the shared oracles is not a witness: it
leaves the observed number of pairs out.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from counterfoil.effect import (
    Bounds,
    RiskRatio,
    bounds_binary,
    bounds_m,
    bounds_signed_rank,
    e_value,
    gamma_at,
    ratio_of_means,
)
from counterfoil.errors import UsageError
from lib.effect_witnesses import floats_of

PRINTED = 1e-12  # relative; stored with 15 digits
NORMAL_TAIL = 1e-9  # relative; R's pnorm as 1 - pnorm loses digits in the tail


def test_e_value_of_a_known_paper() -> None:
    """VanderWeele and Ding (2017), the example of maternal smoking: 7.26, and 3.0 for the limit."""
    found = e_value(RiskRatio(3.9, 1.8, 8.7))

    assert (round(found.point, 2), round(found.limit, 2)) == (7.26, 3.0)


@pytest.mark.parametrize(
    "name", ["rr_3.9_1.8_8.7", "rr_10.73_8.02_14.36", "rr_0.80_0.71_0.91", "or_0.86_common", "md_d0.5_se.25"]
)
def test_e_value_equals_r(shared: Path, name: str) -> None:
    stored = json.loads((shared / "oracles/inference/evalues.json").read_text("utf-8"))[name]
    point, *limits = stored["e"]

    found = e_value(RiskRatio(*stored["rr"]))

    assert found.point == pytest.approx(point, rel=PRINTED)
    assert found.limit == pytest.approx(next(x for x in limits if x is not None), rel=PRINTED)


def test_ratio_of_means_equals_r(shared: Path) -> None:
    stored = json.loads((shared / "oracles/inference/evalues.json").read_text("utf-8"))["md_d0.5_se.25"]["rr"]

    found = ratio_of_means(0.5, 0.25)

    assert (found.ratio, found.low, found.high) == pytest.approx(tuple(stored), rel=PRINTED)


def test_an_interval_that_holds_no_difference_needs_nothing_hidden() -> None:
    assert e_value(RiskRatio(0.9, 0.7, 1.1)).limit == 1.0


@pytest.mark.parametrize("bad", [RiskRatio(0.0, 0.0, 1.0), RiskRatio(1.0, 1.2, 1.4), RiskRatio(1.0, 0.5, math.inf)])
def test_a_ratio_out_of_order_is_refused(bad: RiskRatio) -> None:
    with pytest.raises(UsageError, match="rising order"):
        e_value(bad)


def test_binary_bounds_equal_the_formula_in_r(shared: Path) -> None:
    path = shared / "oracles/inference/rosenbaum_mcnemar.csv"
    gammas, high, low = (floats_of(path, name) for name in ("gamma", "p_upper", "p_lower"))

    found = [bounds_binary(23, 17, gamma) for gamma in gammas]

    assert [b.high for b in found] == pytest.approx(list(high), rel=1e-11)
    assert [b.low for b in found] == pytest.approx(list(low), rel=1e-11)


def test_signed_rank_bounds_equal_the_formula_in_r(shared: Path) -> None:
    folder = shared / "oracles/inference"
    pairs = folder / "rosenbaum_pairs.csv"
    differences = floats_of(pairs, "re78_t") - floats_of(pairs, "re78_c")
    gammas, high, low = (floats_of(folder / "rosenbaum_signedrank.csv", n) for n in ("gamma", "p_upper", "p_lower"))

    found = [bounds_signed_rank(differences, gamma) for gamma in gammas]

    assert [b.high for b in found] == pytest.approx(list(high), rel=NORMAL_TAIL)
    assert [b.low for b in found] == pytest.approx(list(low), rel=NORMAL_TAIL, abs=1e-15)


@pytest.mark.parametrize(("column", "trim"), [("erpcp_trim", 1.0), ("erpcp_huber", 2.5), ("erpcp_ttest", math.inf)])
def test_m_statistic_bounds_equal_sensitivitymv(shared: Path, column: str, trim: float) -> None:
    stored = json.loads((shared / "oracles/inference/sensitivitymv_erpcp.json").read_text("utf-8"))
    pairs = np.array(stored["erpcp"])

    for row in stored["senmv"]:
        found = bounds_m(pairs[:, 0] - pairs[:, 1], row["gamma"], trim=trim)
        assert found.high == pytest.approx(row[column], rel=1e-8)


def test_gamma_is_where_the_largest_p_reaches_the_level() -> None:
    def bounds(gamma: float) -> Bounds:
        return bounds_binary(60, 20, gamma)

    gamma = gamma_at(bounds)

    assert gamma is not None
    assert bounds(gamma - 1e-6).high < 0.05 <= bounds(gamma + 1e-6).high


def test_no_gamma_where_chance_alone_explains_it() -> None:
    assert gamma_at(lambda gamma: bounds_binary(23, 17, gamma)) is None


def test_gamma_under_one_is_refused() -> None:
    with pytest.raises(UsageError, match="1 or more"):
        bounds_binary(3, 2, 0.5)
