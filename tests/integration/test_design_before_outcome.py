"""The design is frozen and hashed before outcomes are opened, and a refused run never opens them (DESIGN 1)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from counterfoil.cohort.values import Attrition, Step
from counterfoil.errors import UsageError
from counterfoil.outcomes.measures import Measure
from counterfoil.provenance import sha256_of_file
from counterfoil.study.analysis import TREATED, analyse
from counterfoil.study.inputs import Facts, Inputs
from counterfoil.study.plan import parse_plan
from counterfoil.study.way_designs import Way
from counterfoil.units import Kind

RATE = Measure("back", "Back in prison", Kind.RATE, noun="returned to prison")
Outcomes = Mapping[str, npt.NDArray[np.float64]]


def _inputs(folder: Path, *, treated: int, rows: int = 3_000) -> Inputs:
    rng = np.random.default_rng(5)
    people = pa.table(
        {
            TREATED: np.arange(rows) < treated,
            "age": rng.normal(35.0, 9.0, rows).round(),
            "sex": rng.choice(["female", "male"], rows),
        }
    )
    return Inputs(
        run="test",
        plan=parse_plan({"title": "A service"}, "plan"),
        people=people,
        covariates=("age", "sex"),
        attrition=Attrition(people={Step.SUBMITTED: treated}),
        measures=(RATE,),
        folder=folder,
        inputs={},
        facts=Facts(today=dt.date(2022, 3, 1)),
    )


def test_outcomes_are_opened_after_the_freeze(tmp_path: Path) -> None:
    opened: list[str] = []

    def open_outcomes() -> Outcomes:
        frozen = json.loads((tmp_path / "frozen.json").read_bytes())
        opened.append(frozen["design"])
        return {RATE.name: (np.arange(3_000) % 3 == 0).astype(np.float64)}

    result = analyse(_inputs(tmp_path, treated=200), open_outcomes)
    assert result["verdict"] == "not_enough_evidence"
    assert opened == [sha256_of_file(tmp_path / "design.parquet")]


def test_a_run_that_r1_refuses_never_opens_outcomes(tmp_path: Path) -> None:
    def open_outcomes() -> Outcomes:
        raise AssertionError("outcomes were opened")

    result = analyse(_inputs(tmp_path, treated=59), open_outcomes)
    assert result["refused"]["rule"] == "R1"
    said = json.dumps(result).replace(str(tmp_path), "the lab")  # a folder for tests may be the 59th
    assert "59" not in said
    assert not (tmp_path / "frozen.json").exists()
    assert (tmp_path / "report.html").is_file()


def test_an_outcome_among_the_covariates_is_refused(tmp_path: Path) -> None:
    inputs = _inputs(tmp_path, treated=200)
    with_outcome = inputs.people.append_column("reoffended", pa.array(np.zeros(3_000)))
    with pytest.raises(UsageError, match="must not see an outcome"):
        analyse(replace(inputs, people=with_outcome), dict)


def test_other_ways_to_compare_are_frozen_before_outcomes_and_chosen_without_them(tmp_path: Path) -> None:
    """Two pools and a second way: whatever the outcomes, the same designs and the same headline."""
    seen: list[dict[str, object]] = []
    for number, turn in enumerate((0.0, 1.0)):
        folder = tmp_path / str(number)
        base = _inputs(folder, treated=200)
        rows, near = np.ones(3_000, np.bool_), np.arange(3_000) < 1_500
        ways = {name: Way(name, mask, base.covariates) for name, mask in (("region", near), ("national", rows))}
        inputs = replace(base, candidates=tuple(ways.values()), others=(replace(ways["region"], name="refused"),))

        def open_outcomes(folder: Path = folder, turn: float = turn) -> Outcomes:
            frozen = json.loads((folder / "frozen.json").read_bytes())
            assert all((folder / f"way_{each['name']}.parquet").is_file() for each in frozen["ways"])
            seen.append(frozen)
            return {RATE.name: np.abs((np.arange(3_000) % 3 == 0).astype(np.float64) - turn)}

        result = analyse(inputs, open_outcomes)
        assert result["pool"] == "region"
        assert [way["name"] for way in result["ways"]] == ["region", "national", "refused"]
    assert seen[0] == seen[1]
