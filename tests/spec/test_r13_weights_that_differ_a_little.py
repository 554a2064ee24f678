"""R13: two partners for each person, and for a few only one, so that some comparison people weigh twice as much.

They count as people who count once each; but what is printed of them is weighted, and may lie on the other side of a
half from what their number would give. Such a report was not made: its statements were not true of its own people.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from counterfoil.disclosure.audited.compared import as_printed
from counterfoil.disclosure.cells import Cell
from counterfoil.disclosure.intruder import Exact, Piece, Share
from counterfoil.study.table import evaluate_table

PLAN = """
title = "A service"
today = 2026-03-04
[comparison]
covariates = ["age", "priors"]
method = "nearest"
ratio = 2
[table]
treatment = "helped"
[[table.measures]]
name = "back"
label = "Came back"
kind = "rate"
column = "back"
[[table.measures]]
name = "days"
label = "Days to it"
kind = "days"
column = "days"
support = "those with the outcome"
"""
PEOPLE = 6_000


def people(seed: int) -> pa.Table:
    """Treatment goes by convictions, so that a few have one partner within reach and not two."""
    rng = np.random.default_rng(seed)
    age, priors = rng.normal(35.0, 10.0, PEOPLE).round(1), rng.poisson(2.0, PEOPLE)
    helped = rng.random(PEOPLE) < 1.0 / (1.0 + np.exp(3.0 - 0.25 * priors))
    back = rng.random(PEOPLE) < 0.4
    days = pa.array(rng.integers(1, 365, PEOPLE), mask=~back)
    return pa.table(
        {"helped": helped.astype(int), "age": age, "priors": priors, "back": back.astype(int), "days": days}
    )


@pytest.mark.parametrize("seed", [3, 6, 7])
def test_the_report_is_made(tmp_path: Path, seed: int) -> None:
    csv.write_csv(people(seed), tmp_path / "people.csv")
    (tmp_path / "plan.toml").write_text(PLAN, "utf-8")
    result = evaluate_table(tmp_path / "people.csv", tmp_path / "plan.toml", tmp_path / "out")
    design = pq.read_table(tmp_path / "out" / "design.parquet")
    weights = {
        w for w, t in zip(design["weight"].to_pylist(), design["treated"].to_pylist(), strict=True) if w and not t
    }
    assert weights == {0.5, 1.0}
    assert len(result["measures"]) == 2


def test_what_is_printed_is_a_share_where_it_is_one_of_the_count() -> None:
    of, over = (Piece("a", "x"),), (Piece("a"),)
    printed = Cell(value=188.25, decimals=2)
    assert isinstance(as_printed("mean", of, over, printed, 37_650, 200), Share)  # 188.25
    assert as_printed("mean", of, over, printed, 37_592, 200) == Exact("mean", of, 37_592)  # 187.96
