"""The profile of a real run: it counts the people whose outcomes are in the report, and is in its audit."""

from __future__ import annotations

import json

import duckdb
import pytest

from counterfoil.cohort.register import RegisterPaths
from counterfoil.lab.paths import SAID
from counterfoil.study.profile import characteristics_of
from lib.small_lab import Evaluated


def test_each_line_counts_the_people_of_the_report_and_no_line_is_of_few(evaluated: Evaluated) -> None:
    profile = evaluated.result["profile"]
    analysed = next(step["n"] for step in evaluated.result["attrition"] if step["step"] == "analysed")
    assert [one["characteristic"] for one in profile] == [one.name for one in characteristics_of("justice")]
    shown = [one for one in profile if all(group["people"] is not None for group in one["groups"])]
    assert len(shown) >= 3
    for one in shown:
        assert sum(group["people"] for group in one["groups"]) == analysed
        for group in one["groups"]:
            assert 10 <= group["people"] <= analysed - 10
            assert group["share"] == pytest.approx(group["people"] / analysed, abs=0.005)


def test_every_value_of_the_register_is_of_a_kind_that_the_profile_names(evaluated: Evaluated) -> None:
    folder = evaluated.made.lab.paths.latest_register()
    assert folder is not None
    covariates = str(RegisterPaths(folder).covariates)
    for one in characteristics_of("justice"):
        sql = f"SELECT DISTINCT {one.column} FROM read_parquet(?)"
        held = {value for (value,) in duckdb.execute(sql, [covariates]).fetchall()}
        if not one.bands:
            assert held - {"unknown"} <= set(one.kinds), one.name
        else:
            assert min(held) >= one.ends[0]


def test_the_audit_holds_each_line(evaluated: Evaluated) -> None:
    kept = (evaluated.folder / SAID).read_bytes()
    labels = {one["label"] for one in json.loads(kept)["publication"]["statements"]}
    lines = {f"{one['characteristic']}: {', '.join(group['kinds'])}" for one in evaluated.result["profile"]
             for group in one["groups"]}  # fmt: skip
    assert len(lines) > 10
    assert lines <= labels
