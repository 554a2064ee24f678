"""A block of two million records on one placeholder: counted, cut or refused in words, in little memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import linkage_data
from counterfoil.errors import Refused
from counterfoil.linkage.blocking import check_blocks, count_within
from counterfoil.linkage.estimates import check_memory, estimate
from counterfoil.linkage.prepare import ID, hot_blocks
from counterfoil.linkage.specification import Rule, Specification, load_specification
from lib.core_records import with_parameters

MANY = 2_000_000
PLACEHOLDER = "UNKNOWN"
_MB = 1024  # ru_maxrss is in KB

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(scope="module")
def specification() -> Specification:
    return load_specification("justice")


@pytest.fixture(scope="module")
def block(specification: Specification) -> pa.Table:
    """All records share every key, but each lives in an area of a hundred others."""
    names = sorted({column for rule in specification.rules for column in (*rule.left, *rule.right)})
    columns = {name: pa.repeat(PLACEHOLDER, MANY) for name in names}
    columns["outcode"] = pa.array([f"A{i}" for i in range(MANY // 100)]).take(pa.array(np.arange(MANY) % (MANY // 100)))
    return pa.table({ID: pa.array(np.arange(MANY)), **columns})


def _rule(specification: Specification, name: str) -> Rule:
    return next(rule for rule in specification.rules if rule.name == name)


def test_a_number_that_two_million_share_is_refused(specification: Specification, block: pa.Table) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    counts = count_within(block, [_rule(specification, "PNC number")])
    assert (counts[0].pairs, counts[0].largest_block) == (MANY * (MANY - 1) // 2, MANY)
    with pytest.raises(Refused, match="2,000,000") as refusal:
        check_blocks(counts, max_block=specification.guards.max_block)
    assert PLACEHOLDER not in str(refusal.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1000 * _MB


def test_a_capped_rule_says_how_much_is_cut(specification: Specification, block: pa.Table) -> None:
    rule = _rule(specification, "birth date and surname")
    assert rule.cap is not None
    only = replace(specification, rules=(rule,))
    hot = hot_blocks(block, only)
    assert [(each.blocks, each.largest) for each in hot] == [(1, MANY)]
    cut = block.set_column(block.column_names.index(rule.cap.column), rule.cap.column, block[rule.cap.then])
    counts = count_within(cut, [rule])
    assert (counts[0].pairs, counts[0].largest_block) == (MANY // 100 * (100 * 99 // 2), 100)
    check_blocks(counts, max_block=specification.guards.max_block)
    said = estimate(cut, counts, [asdict(each) for each in hot], only).lines()
    assert said[0].startswith("2,000,000 records, at most 99,000,000 pairs, about ")
    assert said[1] == "Most pairs: birth date and surname, 99,000,000; its largest block has 100 records"
    assert said[2] == "Cut: 1 block(s) of birth date and surname are over its cap, the largest with 2,000,000 records"


def test_a_run_that_cannot_fit_is_refused_before_it_starts(specification: Specification, block: pa.Table) -> None:
    found = estimate(block, count_within(block.slice(0, 10), specification.rules), [], specification)
    check_memory(found, "64GB")
    with pytest.raises(Refused, match=r"and this lab may use 100MB\. Raise `memory` in lab.toml") as refusal:
        check_memory(found, "100MB")
    assert refusal.value.rule == "memory"


CHILD = """
import json, sys
from pathlib import Path
import pyarrow.parquet as pq
from counterfoil.linkage import core_engine
from counterfoil.linkage.model import Model, Resources
table = pq.read_table(sys.argv[1])
model = Model(json.loads(Path(sys.argv[2]).read_text()), {})
found = core_engine.score(
    table, model, threshold=float(sys.argv[3]), resources=Resources(2, sys.argv[4])
)
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line for line in lines if line.startswith("VmHWM")).split()[1], found.num_rows)
"""


def _peak(table: pa.Table, settings: dict[str, Any], folder: Path, *, threshold: float, memory: str) -> tuple[int, int]:
    """Bytes that a process of its own held at most while it scored, and how many pairs it kept."""
    pq.write_table(table, folder / "records.parquet")
    (folder / "model.json").write_text(json.dumps(settings), encoding="utf-8")
    arguments = [str(folder / "records.parquet"), str(folder / "model.json"), str(threshold), memory]
    done = subprocess.run([sys.executable, "-c", CHILD, *arguments], capture_output=True, text=True, check=True)
    peak, pairs = done.stdout.split()
    return int(peak) * 1024, int(pairs)


@pytest.mark.slow
@linux
def test_the_estimate_is_near_what_a_run_takes(specification: Specification, tmp_path: Path) -> None:
    """The benchmark's records and rules, in a process of its own; 25% either way is what we promise."""
    made = linkage_data.make(tmp_path / "made.parquet", 100_000, 5)
    table = pq.read_table(made, columns=["unique_id", "first_name", "surname", "dob", "postcode", "pnc_id"])
    settings = with_parameters(linkage_data.model()) | {
        "blocking_rules_to_generate_predictions": list(linkage_data.LOOSE_RULES),
    }
    like = replace(specification, comparisons=specification.comparisons[:5], rules=specification.rules[:5])
    peak, _ = _peak(table, settings, tmp_path, threshold=0.0, memory="8GB")
    assert 0.8 * peak < estimate(table, (), [], like).memory < 1.25 * peak


@pytest.mark.slow
@linux
def test_kept_pairs_stay_under_the_setting(tmp_path: Path) -> None:
    """Blocks of 400 records, all of whose pairs are kept: 12 million of 26 bytes, more than may be held."""
    count, block = 60_000, 400
    table = pa.table({ID: np.arange(count), "k": np.arange(count) // block, "v": np.arange(count) % 7})
    levels = [
        {"sql_condition": "v_l = v_r", "m_probability": 0.9, "u_probability": 0.1},
        {"sql_condition": "ELSE", "m_probability": 0.1, "u_probability": 0.9},
    ]
    settings = {
        "link_type": "dedupe_only",
        "blocking_rules_to_generate_predictions": ["l.k = r.k"],
        "comparisons": [{"output_column_name": "v", "comparison_levels": levels}],
    }
    peak, pairs = _peak(table, settings, tmp_path, threshold=-1000.0, memory="1GB")
    assert pairs == count // block * (block * (block - 1) // 2)
    assert peak < 10**9
