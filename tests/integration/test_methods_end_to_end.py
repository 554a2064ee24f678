"""A plan that names a method ends in a report that says so and finds the effect that was put into the data."""

from __future__ import annotations

import html
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from counterfoil.comparison import Method
from counterfoil.provenance import sha256_of_file
from counterfoil.study.table import evaluate_table
from counterfoil.warehouse import read_table

EFFECT = 5.0  # what being treated adds, for everyone, so that every estimand is the same
CONFOUNDED = 0.8  # what the difference as it stands is too large by, at least
NEAR = 0.35  # error of a fair comparison of 400 with 3,000: 3 of its standard errors, and what subclasses leave
BANDS = "[-1.5, -1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0]"

CASES = [
    ("radius", "", "radius, with replacement"),
    ("nearest", "ratio = 2\nexact = ['area']", "nearest 2:1, without replacement"),
    ("nearest", "conventions = 'matchit'\ncaliper = 0.2", "SD of the score of everyone (propensity)"),
    ("inverse_probability", "target = 'everyone'", "to make the groups like everyone"),
    ("overlap", "", "probability of having been in the other group"),
    ("entropy_balancing", "moments = 2", "means, and means of squares"),
    ("kernel", "bandwidth = 0.1", "kernel (Epanechnikov)"),
    ("subclassification", "subclasses = 10", "10 subclasses at quantiles"),
    ("coarsened_exact", f"cutpoints = {{ x = {BANDS} }}", "coarsened exact"),
]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(21)
    x, area = rng.normal(size=3_400), rng.choice(["a", "b"], 3_400)
    treated = np.argsort(rng.gumbel(size=3_400) + 0.7 * x + 0.3 * (area == "a"))[-400:]
    is_treated = np.isin(np.arange(3_400), treated)
    outcome = 20.0 + 2.0 * x + (area == "a") + EFFECT * is_treated + rng.normal(size=3_400)
    assert outcome[is_treated].mean() - outcome[~is_treated].mean() > EFFECT + CONFOUNDED
    path = tmp_path_factory.mktemp("methods") / "people.csv"
    columns = {"helped": is_treated.astype(np.int64), "x": x, "area": area, "days": outcome}
    csv.write_csv(pa.table(columns), path)
    return path


@pytest.mark.parametrize(("method", "keys", "words"), CASES, ids=[method for method, _, _ in CASES])
def test_the_effect_is_found_and_the_method_said(
    table: Path, tmp_path: Path, method: str, keys: str, words: str
) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(
        f"title = 'A service'\n[comparison]\nmethod = '{method}'\ncovariates = ['x', 'area']\n{keys}\n"
        "[table]\ntreatment = 'helped'\n"
        "[[table.measures]]\nname = 'days'\nlabel = 'Days in work'\nkind = 'amount'\ncolumn = 'days'\n",
        "utf-8",
    )
    result = evaluate_table(table, plan, tmp_path / "out")
    (measure,) = result["measures"]
    assert measure["difference"] == pytest.approx(EFFECT, abs=NEAR)
    assert measure["low"] < measure["difference"] < measure["high"]
    assert words in html.unescape((tmp_path / "out" / "report.html").read_text("utf-8"))


def test_the_frozen_design_holds_who_was_matched_with_whom(table: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(
        "title = 'A service'\n[comparison]\nmethod = 'nearest'\ncovariates = ['x', 'area']\n"
        "[table]\ntreatment = 'helped'\n"
        "[[table.measures]]\nname = 'days'\nlabel = 'Days in work'\nkind = 'amount'\ncolumn = 'days'\n",
        "utf-8",
    )
    evaluate_table(table, plan, tmp_path)
    frozen = json.loads((tmp_path / "frozen.json").read_bytes())
    assert frozen["method"] == "nearest"
    assert frozen["design"] == sha256_of_file(tmp_path / "design.parquet")
    assert frozen["pairs"] == sha256_of_file(tmp_path / "pairs.parquet")
    design, pairs = read_table(tmp_path / "design.parquet"), read_table(tmp_path / "pairs.parquet")
    number = design["pair"].to_numpy()
    assert (number[pairs["treated"].to_numpy()] == number[pairs["comparison"].to_numpy()]).all()
    assert ((number >= 0) == (design["weight"].to_numpy() > 0.0)).all()
    assert set(design["stratum"].to_pylist()) == {-1}


def test_every_method_is_tried() -> None:
    assert {method for method, _, _ in CASES} == {method.value for method in Method}
