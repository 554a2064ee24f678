"""A block of two million records on one placeholder: counted, cut or refused in words, in little memory."""

from __future__ import annotations

import resource
from dataclasses import asdict, replace

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.errors import Refused
from counterfoil.linkage.blocking import check_blocks, count_within
from counterfoil.linkage.core.encode import Resources, encode
from counterfoil.linkage.core.splink_json import read_model
from counterfoil.linkage.estimates import check_memory, estimate
from counterfoil.linkage.model import splink_settings
from counterfoil.linkage.prepare import ID, hot_blocks, prepare
from counterfoil.linkage.specification import Rule, Specification, load_specification
from lib.links import make_records

MANY = 2_000_000
PLACEHOLDER = "UNKNOWN"
_MB = 1024  # ru_maxrss is in KB


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


def test_the_estimate_covers_what_the_engine_holds(specification: Specification) -> None:
    """The arrays of the encoded records and the records themselves; for small data a bound, not a close one."""
    prepared = prepare(make_records(2000, seed=3).records, specification)
    encoded = encode(prepared, read_model(splink_settings(specification)), {}, resources=Resources(1, "1GB"))
    arrays = {id(a): a.nbytes for a in (encoded.tuple_of, *encoded.left_keys, *encoded.right_keys)}
    held = sum(arrays.values()) + prepared.nbytes
    assert held < estimate(prepared, (), [], specification).memory < 20 * held
