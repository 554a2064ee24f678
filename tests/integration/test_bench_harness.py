"""The harness that `make bench` stands on: the format that outside checks read, and figures that mean what they say."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.harness import Ready, Work, measure

HERE = "test_bench_harness"
SLEEP_SECONDS = 0.1
READY_SECONDS = 0.5


def sleeping() -> Ready:
    time.sleep(READY_SECONDS)
    return lambda: time.sleep(SLEEP_SECONDS)


def holding(megabytes: int) -> Ready:
    return lambda: len(bytearray(megabytes * 10**6))


def holding_in_a_child(megabytes: int) -> Ready:
    return lambda: subprocess.run([sys.executable, "-c", f"bytearray({megabytes} * 10**6)"], check=True)


def works() -> list[Work]:
    module = "tests.integration." + HERE
    return [
        Work("match: sleep", "counterfoil", "0", 1, f"{module}:sleeping"),
        Work("match: hold", "counterfoil", "0", 2, f"{module}:holding", {"megabytes": 300}),
        Work("match: hold in a child", "other", "1", 3, f"{module}:holding_in_a_child", {"megabytes": 300}),
    ]


@pytest.mark.slow
def test_rows_have_the_promised_fields_and_honest_figures(tmp_path: Path) -> None:
    measure(works(), "check", tmp_path)
    rows = json.loads((tmp_path / "check.json").read_text("utf-8"))
    assert [row["n"] for row in rows] == [1, 2, 3]
    assert set(rows[0]) == {"work", "engine", "version", "n", "seconds", "peak_mb", "runs"}
    slept, held, held_in_child = rows
    assert len(slept["runs"]) == 3
    assert slept["seconds"] == sorted(slept["runs"])[1]
    assert SLEEP_SECONDS <= slept["seconds"] < READY_SECONDS  # getting ready is not timed
    assert slept["peak_mb"] < 100
    assert 300 < held["peak_mb"] < 400  # what was held, and a small Python around it
    assert 300 < held_in_child["peak_mb"] < 400
