"""The core against Splink 5 on DuckDB: the same pairs, weights to 1e-9, and the same first rule (METHODS 1)."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from benchmarks import linkage_data
from counterfoil.linkage.core import order as ordering
from counterfoil.linkage.core import score as scoring
from lib.core_records import assert_same, core_pairs, dirty_records, splink_pairs, split, with_parameters

RECORDS = 2_500
SWAPPED = "l.first_name = r.surname AND l.surname = r.first_name"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    return dirty_records(tmp_path_factory.mktemp("records"), RECORDS)


def model(link_type: str = "dedupe_only", **changes: Any) -> dict[str, Any]:
    rules = [*linkage_data.LOOSE_RULES, SWAPPED]
    return with_parameters(linkage_data.model()) | {
        "link_type": link_type, "blocking_rules_to_generate_predictions": rules, **changes,
    }  # fmt: skip


def test_one_table_with_overlapping_rules_and_one_of_two_sides(records: pa.Table) -> None:
    ours = core_pairs({"a": records}, model())
    assert len(ours) > RECORDS
    assert_same(ours, splink_pairs({"a": records}, model()))


@pytest.mark.parametrize("sources", [2, 3])
@pytest.mark.parametrize("link_type", ["link_only", "link_and_dedupe"])
def test_several_sources(records: pa.Table, link_type: str, sources: int) -> None:
    tables = split(records, sources)
    assert_same(core_pairs(tables, model(link_type)), splink_pairs(tables, model(link_type)))


@pytest.mark.parametrize("threshold", [-5.0, 0.0, 8.0])
def test_a_threshold_loses_and_gains_nothing(records: pa.Table, threshold: float) -> None:
    everything = core_pairs({"a": records}, model())
    over = {pair: value for pair, value in everything.items() if value[0] >= threshold}
    assert core_pairs({"a": records}, model(), threshold=threshold) == over


def test_frequencies_on_fuzzy_levels_and_a_least_u(records: pa.Table) -> None:
    changed = model()
    for comparison in changed["comparisons"][:2]:
        for level in comparison["comparison_levels"][1:-1]:
            level |= {
                "tf_adjustment_column": comparison["output_column_name"],
                "tf_adjustment_weight": 0.6,
                "tf_minimum_u_value": 0.002,
            }
    assert_same(core_pairs({"a": records}, changed), splink_pairs({"a": records}, changed))


def test_the_order_of_comparisons_changes_no_pair_and_no_weight(
    records: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = core_pairs({"a": records}, model())
    monkeypatch.setattr(ordering, "FEWEST_PAIRS", 0)
    assert list(core_pairs({"a": records}, model()).items()) == list(usual.items())


def test_threads_and_small_rooms_change_nothing(records: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block larger than the room for its pairs; units of a few pairs; pairs that spill to disk."""
    whole = core_pairs({"a": records}, model(), threads=1)
    monkeypatch.setattr(scoring, "OUT_PAIRS", 7)
    monkeypatch.setattr(scoring, "UNIT_PAIRS", 50)
    small = core_pairs({"a": records}, model(), threads=2, memory=4_000)
    assert list(small.items()) == list(whole.items())
