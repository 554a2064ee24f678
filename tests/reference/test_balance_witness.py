"""The balance table against R's cobalt, for ten sets of weights and both denominators."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.comparison.balance import Denominator, balance_baseline, measure_balance
from counterfoil.comparison.design import encode_covariates
from counterfoil.comparison.values import BalanceRow, ComparisonSettings, FloatArray
from lib.witnesses import expected, read_people

COBALT = 1e-12  # absolute; cobalt's figures are stored with 17 digits

COVARIATES = ("age", "educ", "race", "married", "nodegree", "re74", "re75")
SPECS = sorted({(row[0], row[1]) for row in expected("cobalt_lalonde614")["rows"]})


@pytest.fixture(scope="module")
def people(shared: Path) -> pa.Table:
    return read_people(shared / "oracles/matchit_lalonde614/lalonde614.csv")


@pytest.fixture(scope="module")
def stored_weights(shared: Path) -> list[dict[str, str]]:
    with (shared / "oracles/matchit_lalonde614/matchit_weights.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _weight(spec: str, people: pa.Table, stored: list[dict[str, str]]) -> FloatArray:
    treated = people["treat"].to_numpy() == 1.0
    if spec == "unadjusted":
        return np.ones(len(treated))
    if spec == "ipw_att":
        return np.where(treated, 1.0, np.exp(np.array(expected("logit_lalonde614")["logit"])))
    of_spec = {row["id"]: float(row["weight"]) for row in stored if row["spec"] == spec}
    return np.array([of_spec.get(person, 0.0) for person in people["id"].to_pylist()])


@pytest.mark.parametrize(("spec", "denominator"), SPECS)
def test_balance_is_that_of_cobalt(
    spec: str, denominator: str, people: pa.Table, stored_weights: list[dict[str, str]]
) -> None:
    treated = people["treat"].to_numpy() == 1.0
    covariates = encode_covariates(people, ComparisonSettings(covariates=COVARIATES))
    chosen = Denominator.TREATED if denominator == "treated" else Denominator.POOLED
    baseline = balance_baseline(covariates.design, treated, denominator=chosen)
    rows = measure_balance(covariates, baseline, _weight(spec, people, stored_weights))
    ours = {row.term.replace(": ", "_"): row for row in rows}
    theirs = {row[2]: row[3:] for row in expected("cobalt_lalonde614")["rows"] if tuple(row[:2]) == (spec, denominator)}
    assert ours.keys() == theirs.keys()
    for term, figures in theirs.items():
        witness = dict(zip(("smd", "variance_ratio", "ks", "smd_before"), figures, strict=True))
        assert _figures(ours[term]) == pytest.approx(_known(witness), abs=COBALT, rel=COBALT)


def _figures(row: BalanceRow) -> dict[str, float]:
    figures = {"smd": row.smd, "variance_ratio": row.variance_ratio, "ks": row.ks, "smd_before": row.smd_before}
    return _known(figures)


def _known(figures: dict[str, float | None]) -> dict[str, float]:
    """Without those that are undefined: a binary term has no variance ratio, here as in cobalt."""
    return {name: figure for name, figure in figures.items() if figure is not None}
