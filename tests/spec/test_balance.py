"""Balance rows worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.comparison.balance import (
    balance_baseline,
    band_of,
    effective_sample_size,
    measure_balance,
    members_of_terms,
    standardised_differences,
)
from counterfoil.comparison.design import encode_covariates
from counterfoil.comparison.values import BalanceRow, Band, ComparisonSettings

PEOPLE = pa.table(
    {
        "age": [20.0, 30.0, 40.0, 10.0, 30.0, 50.0, 70.0],
        "place": ["a", "b", "b", "a", "a", "b", "c"],
        "new": [1, 1, 0, 0, 0, 1, 1],
    }
)
TREATED = np.array([True, True, True, False, False, False, False])
WEIGHT = np.array([1.0, 1.0, 0.0, 0.5, 1.0, 0.5, 0.0])
SETTINGS = ComparisonSettings(covariates=("age", "place", "new"), min_level=1)


def _rows(people: pa.Table = PEOPLE) -> dict[str, BalanceRow]:
    covariates = encode_covariates(people, SETTINGS)
    baseline = balance_baseline(covariates.design, TREATED)
    return {row.term: row for row in measure_balance(covariates, baseline, WEIGHT, threads=2)}


def test_every_level_is_a_row_and_a_yes_no_column_one() -> None:
    assert list(_rows()) == ["place: a", "place: b", "place: c", "new", "age"]
    assert [row.covariate for row in _rows().values()] == ["place", "place", "place", "new", "age"]


def test_a_number_by_hand() -> None:
    row = _rows()["age"]
    # Treated SD before: 10. Means before: 30 and 40; after: treated 25, comparison (0.5*10 + 30 + 0.5*50)/2 = 30.
    assert (row.treated_mean, row.comparison_mean_before, row.comparison_mean) == pytest.approx((25.0, 40.0, 30.0))
    assert (row.smd_before, row.smd) == pytest.approx((-1.0, -0.5))
    # Comparison variance before: (900 + 100 + 100 + 900)/3. After: sum w d^2 = 400, W = 2, sum w^2 = 1.5:
    # 400*2/(4 - 1.5) = 320; treated after: 50.
    assert (row.variance_ratio_before, row.variance_ratio) == pytest.approx((100.0 / (2000.0 / 3.0), 50.0 / 320.0))
    # Shares up to 10: 0 v 1/4; 20: 1/3 v 1/4; 30: 2/3 v 2/4; 40: 1 v 2/4 (largest); 50: 1 v 3/4.
    # After, up to 10: 0 v 1/4; 20: 1/2 v 1/4; 30: 1 v 3/4: all gaps 1/4.
    assert (row.ks_before, row.ks) == pytest.approx((0.5, 0.25))
    assert (row.binary, row.treated_people, row.comparison_people) == (False, 0, 0)
    assert row.band is Band.RED


def test_a_level_by_hand() -> None:
    row = _rows()["place: b"]
    sd = math.sqrt((2 / 3) * (1 / 3))
    assert (row.treated_mean, row.comparison_mean_before, row.comparison_mean) == pytest.approx((0.5, 0.25, 0.25))
    assert (row.smd_before, row.smd) == pytest.approx(((2 / 3 - 1 / 4) / sd, 0.25 / sd))
    assert (row.variance_ratio_before, row.variance_ratio) == (None, None)
    assert (row.ks_before, row.ks) == pytest.approx((2 / 3 - 1 / 4, 0.25))
    assert (row.binary, row.treated_people, row.comparison_people) == (True, 1, 1)


def test_people_are_counted_whole_and_only_when_used() -> None:
    rows = _rows()
    assert (rows["place: a"].treated_people, rows["place: a"].comparison_people) == (1, 2)
    assert (rows["new"].treated_people, rows["new"].comparison_people) == (2, 1)


def test_without_treated_variation_there_is_no_smd_and_the_pool_judges() -> None:
    row = _rows()["place: c"]
    assert (row.smd_before, row.smd) == (None, None)
    assert row.band is Band.GREEN  # nobody at this level is used on either side
    younger = PEOPLE.set_column(0, "age", [[30.0, 30.0, 30.0, 30.0, 30.0, 50.0, 70.0]])
    row = _rows(younger)["age"]  # after: 30 v 35, pool SD before 19.1: 0.26
    assert (row.smd, row.band, row.variance_ratio_before) == (None, Band.RED, 0.0)


def test_one_used_comparison_person_has_no_variance() -> None:
    covariates = encode_covariates(PEOPLE, SETTINGS)
    weight = np.array([1.0, 1.0, 1.0, 3.0, 0.0, 0.0, 0.0])
    rows = measure_balance(covariates, balance_baseline(covariates.design, TREATED), weight)
    assert next(row for row in rows if row.term == "age").variance_ratio is None


def test_a_second_method_on_the_same_groups_has_the_table_of_a_first() -> None:
    """What lies before the matching is found once for all methods."""
    covariates = encode_covariates(PEOPLE, SETTINGS)
    baseline = balance_baseline(covariates.design, TREATED)
    measure_balance(covariates, baseline, np.ones(len(TREATED)))
    assert measure_balance(covariates, baseline, WEIGHT) == tuple(_rows().values())


def test_the_quick_differences_are_those_of_the_table() -> None:
    covariates = encode_covariates(PEOPLE, SETTINGS)
    baseline = balance_baseline(covariates.design, TREATED)
    quick = standardised_differences(baseline, WEIGHT)
    table = [math.nan if row.smd is None else row.smd for row in measure_balance(covariates, baseline, WEIGHT)]
    np.testing.assert_array_equal(quick, table)


BANDS = [(0.0, Band.GREEN), (-0.05, Band.GREEN), (0.0501, Band.AMBER), (0.10, Band.AMBER), (-0.1001, Band.RED)]


@pytest.mark.parametrize(("smd", "band"), BANDS)
def test_bands(smd: float, band: Band) -> None:
    assert band_of(smd) is band


def test_effective_sample_size_is_kishs() -> None:
    assert effective_sample_size(np.array([1.0, 1.0, 1.0])) == 3.0
    assert effective_sample_size(np.array([2.0, 1.0, 0.0])) == pytest.approx(9.0 / 5.0)
    assert effective_sample_size(np.zeros(2)) == 0.0


def test_missing_values_do_not_break_the_table() -> None:
    people = pa.table({"x": pa.array([1.0, None, 3.0, None, 2.0, 4.0, None])})
    covariates = encode_covariates(people, replace(SETTINGS, covariates=("x",)))
    rows = measure_balance(covariates, balance_baseline(covariates.design, TREATED), WEIGHT)
    assert [row.term for row in rows] == ["x: missing", "x"]
    assert all(math.isfinite(row.ks) for row in rows)


def test_who_has_each_yes_or_no_is_who_is_counted_in_its_row() -> None:
    members = members_of_terms(encode_covariates(PEOPLE, SETTINGS))
    assert {name: there.tolist() for name, there in members.items()} == {
        "place: a": [True, False, False, True, True, False, False],
        "place: b": [False, True, True, False, False, True, False],
        "place: c": [False, False, False, False, False, False, True],
        "new": [True, True, False, False, False, True, True],
    }
    used = WEIGHT > 0
    counted = {row.term: (row.treated_people, row.comparison_people) for row in _rows().values() if row.binary}
    assert counted == {
        n: (int((m & used & TREATED).sum()), int((m & used & ~TREATED).sum())) for n, m in members.items()
    }
