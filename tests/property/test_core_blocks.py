"""Which pairs the core scores: against every pair looked at one by one, on random keys, sources and changes."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterfoil.errors import Fault
from counterfoil.linkage.core.encode import encode
from counterfoil.linkage.core.score import score
from counterfoil.linkage.core.splink_json import read_model

RULES = ("l.a = r.a", "l.b = r.b AND l.c = r.c", "l.a = r.b", "substr(l.c, 1, 1) = substr(r.c, 1, 1)")
COLUMNS = ("a", "b", "c")
values = st.one_of(st.none(), st.sampled_from(["X", "XY", "Y", "ÅZ", ""]))
rows = st.lists(st.tuples(values, values, values, st.integers(0, 2), st.booleans()), min_size=2, max_size=14)

pytestmark = pytest.mark.slow


def model() -> dict[str, Any]:
    """A model in which every pair weighs something."""
    levels = [
        {"sql_condition": "a_l IS NULL OR a_r IS NULL", "label_for_charts": "missing", "is_null_level": True},
        {"sql_condition": "a_l = a_r", "label_for_charts": "same", "m_probability": 0.9, "u_probability": 0.1},
        {"sql_condition": "ELSE", "label_for_charts": "other", "m_probability": 0.1, "u_probability": 0.9},
    ]
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": 0.01,
        "blocking_rules_to_generate_predictions": list(RULES),
        "comparisons": [{"output_column_name": "a", "comparison_levels": levels}],
    }


def first_rule(left: tuple[Any, ...], right: tuple[Any, ...]) -> int | None:
    """The first of RULES that makes the pair, by SQL's equality: null equals nothing."""
    a, b, c = left[:3]
    d, e, f = right[:3]
    held = (
        a is not None and a == d,
        None not in (b, c, e, f) and b == e and c == f,
        a is not None and a == e,
        None not in (c, f) and c[:1] == f[:1],
    )
    return next((rule for rule, made in enumerate(held) if made), None)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows, st.booleans(), st.booleans())
def test_pairs_and_rules_are_those_of_every_pair(drawn: list[tuple[Any, ...]], by_group: bool, by_fresh: bool) -> None:
    table = pa.table({name: pa.array([row[i] for row in drawn], pa.string()) for i, name in enumerate(COLUMNS)})
    read = read_model(model())
    groups = np.array([row[3] for row in drawn], dtype=np.int32) if by_group else None
    fresh = np.array([row[4] for row in drawn], dtype=np.bool_) if by_fresh else None
    found = score(encode(table, read, {}), read, threshold=-100.0, groups=groups, fresh=fresh, threads=1)
    pairs = [found.pairs[name].to_pylist() for name in ("left", "right", "rule")]
    expected = {
        (i, j): rule
        for i in range(len(drawn))
        for j in range(i + 1, len(drawn))
        if (rule := first_rule(drawn[i], drawn[j])) is not None
        and not (by_group and drawn[i][3] == drawn[j][3])
        and not (by_fresh and not (drawn[i][4] or drawn[j][4]))
    }
    assert dict(zip(zip(*pairs[:2], strict=True), pairs[2], strict=True)) == expected
    assert len(pairs[0]) == len(expected)  # each once
    assert sum(found.candidates) == len(expected)


@pytest.mark.parametrize("at", ["pairs", "sorted"])
def test_a_full_disk_is_said_and_leaves_nothing(at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs that do not fit in memory and cannot be written, or not in order: clear words, no file."""
    write = pa.OSFile

    def full(path: str, mode: str) -> Any:
        if at == "pairs" or "sorted" in path:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, mode)

    table = pa.table({name: pa.array(["X"] * 60, pa.string()) for name in COLUMNS})
    read = read_model(model())
    encoded = encode(table, read, {})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(pa, "OSFile", full)
    with pytest.raises(Fault, match="Free space there, or raise `memory`"):
        score(encoded, read, threshold=-100.0, memory=100)
    assert not list(tmp_path.iterdir())


def test_a_database_without_room_is_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB orders what was spilled; what it says when it cannot is said in our words."""

    class Full:
        def register(self, *_: object) -> None:
            raise duckdb.IOException("could not write")

        def close(self) -> None:
            pass

    table = pa.table({name: pa.array(["X"] * 60, pa.string()) for name in COLUMNS})
    read = read_model(model())
    encoded = encode(table, read, {})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("counterfoil.linkage.core.score.connect", lambda **_: Full())
    with pytest.raises(Fault, match="Free space there, or raise `memory`"):
        score(encoded, read, threshold=-100.0, memory=100)
    assert not list(tmp_path.iterdir())
