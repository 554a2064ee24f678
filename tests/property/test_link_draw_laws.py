"""Doubt about links in an estimate: none where nothing is in doubt, more the more there is; frozen before outcomes."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from counterfoil.cohort.values import Attrition, Step
from counterfoil.outcomes.measures import Measure
from counterfoil.provenance import sha256_of_file
from counterfoil.study.analysis import LINKING, TREATED, analyse
from counterfoil.study.inputs import Facts, Inputs
from counterfoil.study.link_draws import FILE, LinkDoubt
from counterfoil.study.plan import parse_plan
from counterfoil.units import Kind

RATE = Measure("back", "Back in prison", Kind.RATE, noun="returned to prison")
ROWS, N, MORE = 3_000, 200, 40


def _people(rng: np.random.Generator, rows: int) -> pa.Table:
    return pa.table(
        {
            TREATED: np.zeros(rows, np.bool_),
            "age": rng.normal(35.0, 9.0, rows).round(),
            "sex": rng.choice(["female", "male"], rows),
        }
    )


def _doubt(probability: float, *, entries: int = MORE) -> LinkDoubt:
    """The last `entries` of the treated may be somebody of `people` instead, who is in the pool too."""
    entry = np.repeat(np.arange(entries), 2)
    row = np.stack([N - entries + np.arange(entries), ROWS + np.arange(entries)], axis=1).ravel()
    sure = np.zeros(ROWS, np.bool_)
    sure[: N - entries] = True
    return LinkDoubt(
        people=_people(np.random.default_rng(9), MORE),
        place=np.arange(N, N + MORE),
        entry=entry,
        person=np.arange(2 * entries),
        row=row,
        probability=np.tile([probability, 1.0 - probability], entries),
        sure=sure,
        steady=np.arange(ROWS) % 7 > 0,
        link_probability=np.ones(ROWS),
    )


def _run(folder: Path, doubt: LinkDoubt | None, *, design: str = "matched", seed: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    people = _people(rng, ROWS).set_column(0, TREATED, pa.array(np.arange(ROWS) < N))
    rates = (rng.random(ROWS + MORE) < 0.4).astype(np.float64)
    plan: dict[str, Any] = {"title": "A service", "seed": seed, "comparison": {"design": design}}
    inputs = Inputs(
        run="test",
        plan=parse_plan(plan, "plan"),
        people=people,
        covariates=("age", "sex"),
        attrition=Attrition(people={Step.SUBMITTED: N}),
        measures=(RATE,),
        folder=folder,
        inputs={},
        facts=Facts(today=dt.date(2022, 3, 1)),
        doubt=doubt,
    )

    def open_outcomes() -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
        frozen = json.loads((folder / "frozen.json").read_bytes())
        if doubt is not None:
            assert frozen["links"]["treated"] == sha256_of_file(folder / FILE)
        return {RATE.name: rates}

    return analyse(inputs, open_outcomes)


def _combined(folder: Path) -> dict[str, float]:
    found: dict[str, float] = json.loads((folder / LINKING).read_bytes())["combined"][RATE.name]
    return found


@pytest.mark.parametrize("probability", [1.0])
def test_certain_links_give_the_headline_itself(tmp_path: Path, probability: float) -> None:
    result = _run(tmp_path, _doubt(probability))
    (headline,) = result["measures"]
    found = _combined(tmp_path)
    assert found["share"] == 0.0
    for name, shown in (("estimate", "difference"), ("low", "low"), ("high", "high")):
        assert round(found[name], 1) == pytest.approx(headline[shown], abs=0.051)
    frozen = json.loads((tmp_path / "frozen.json").read_bytes())
    assert frozen["links"]["as_headline"] == list(range(20))
    assert result["linking"]["share_to"] == 0.01


def test_the_headline_is_the_same_with_doubt_and_without(tmp_path: Path) -> None:
    without, with_doubt = _run(tmp_path / "a", None), _run(tmp_path / "b", _doubt(0.5))
    assert without["linking"] is None
    assert with_doubt["linking"] is not None
    assert without["measures"] == with_doubt["measures"]
    one, other = ((tmp_path / run / "design.parquet").read_bytes() for run in "ab")
    assert one == other


@pytest.mark.parametrize("design", ["matched", "randomised"])
def test_more_doubt_is_a_larger_share_of_the_variance(tmp_path: Path, design: str) -> None:
    shares = []
    for entries in (2, 40):
        folder = tmp_path / str(entries)
        _run(folder, _doubt(0.5, entries=entries), design=design)
        shares.append(_combined(folder)["share"])
    assert 0.0 < shares[0] < shares[1]


def test_what_doubt_adds_is_what_theory_says(tmp_path: Path) -> None:
    """40 of 200 people are, by the toss of a coin, one of two with chances of 0.4: the variance over draws of their
    part of the rate is 40 p (1 - p) (y - z)^2 / 200^2, whose mean is 40 * 0.25 * 0.48 / 200^2 = 1.2 points squared."""
    between = []
    for seed in range(1, 9):
        folder = tmp_path / str(seed)
        _run(folder, _doubt(0.5), seed=seed)
        between.append(_combined(folder)["between"])
    assert np.mean(between) == pytest.approx(1.2, rel=0.35)  # 8 times 19 degrees of freedom, and 80 outcomes


def test_nobody_is_in_both_groups_of_a_draw(tmp_path: Path) -> None:
    doubt = _doubt(0.5)
    _run(tmp_path, doubt)
    drawn = pq.read_table(tmp_path / FILE)
    rows = np.asarray(drawn["row"])
    for draw in range(20):
        treated = rows[np.asarray(drawn["draw"]) == draw]
        assert len(treated) == N  # each entry is one of its two candidates
        of_entries = treated[(treated >= N - MORE)]
        first, second = of_entries[of_entries < N] - (N - MORE), of_entries[of_entries >= N] - ROWS
        assert sorted([*first, *second]) == list(range(MORE))


def test_the_draws_are_those_of_the_seed_whatever_the_outcomes(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        _run(tmp_path / name, _doubt(0.5), seed=seed)
    a, b, c = (json.loads((tmp_path / n / "frozen.json").read_bytes())["links"] for n in "abc")
    assert a == b
    assert a["treated"] != c["treated"]


def test_those_of_whom_the_spine_is_unsure_are_left_out_once(tmp_path: Path) -> None:
    _run(tmp_path, _doubt(1.0))
    found = json.loads((tmp_path / LINKING).read_bytes())["without_unsteady"][RATE.name]
    assert found["low"] < found["difference"] < found["high"]
