"""Training on pattern counts: Splink's parameters on the same pairs, honest bounds, why it stopped (METHODS 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from splink import DuckDBAPI, Linker

from benchmarks import linkage_data
from counterfoil.errors import Refused, UsageError
from counterfoil.linkage.core.counts import Patterns
from counterfoil.linkage.core.encode import Resources
from counterfoil.linkage.core.expectation import Start, Stopped, learn
from counterfoil.linkage.core.train import Plan, Trained, train
from counterfoil.linkage.model import bounded
from counterfoil.warehouse import connect
from lib.core_records import dirty_records

RECORDS = 2_000
ALL_PAIRS = RECORDS * (RECORDS - 1) // 2
BLOCKS = ("l.dob = r.dob", "l.surname = r.surname")
PLAN = Plan(
    prior_rules=linkage_data.PRIOR_RULES,
    prior_recall=0.8,
    blocks=BLOCKS,
    random_pairs=ALL_PAIRS,
    block_pairs=10**9,
    iterations=25,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    return dirty_records(tmp_path_factory.mktemp("records"), RECORDS, seed=8)


def model() -> dict[str, Any]:
    """The benchmark's, without the level of numbers one edit apart, which so few records do not show."""
    settings = linkage_data.model()
    for comparison in settings["comparisons"][3:]:
        del comparison["comparison_levels"][2]
    return settings | {"em_convergence": 1e-4, "max_iterations": 25}


def splink_settings(records: pa.Table, *, rarity: bool) -> dict[str, Any]:
    """What Splink learns from all pairs: of the whole table for u, of each block for m."""
    connection = connect(threads=2, memory_limit="2GB")
    try:
        connection.register("given", records)
        connection.execute("CREATE TABLE records AS SELECT * FROM given")
        linker = Linker(DuckDBAPI(connection=connection).register("records"), model(), log_level=None)
        linker.training.estimate_probability_two_random_records_match(list(PLAN.prior_rules), recall=0.8)
        linker.training.estimate_u_using_random_sampling(max_pairs=10**9, min_count_per_level=None, num_chunks=1)
        for rule in BLOCKS:
            linker.training.estimate_parameters_using_expectation_maximisation(
                rule, estimate_without_term_frequencies=not rarity
            )
        found: dict[str, Any] = linker.misc.save_model_to_json()
    finally:
        connection.close()
    return found


def parameters(settings: dict[str, Any]) -> list[tuple[float | None, float | None]]:
    return [
        (level.get("m_probability"), level.get("u_probability"))
        for comparison in settings["comparisons"]
        for level in comparison["comparison_levels"]
        if not level.get("is_null_level")
    ]


@pytest.mark.parametrize("rarity", [False, True], ids=["without frequencies", "with frequencies"])
def test_prior_u_and_m_are_those_of_splink_on_the_same_pairs(records: pa.Table, rarity: bool) -> None:
    theirs = splink_settings(records, rarity=rarity)
    ours = train(records, model(), replace(PLAN, rarity=rarity)).settings
    assert ours["probability_two_random_records_match"] == pytest.approx(
        theirs["probability_two_random_records_match"], abs=1e-12
    )
    given, expected = parameters(ours), parameters(theirs)
    assert None not in {value for pair in expected for value in pair}  # every level was seen, so all are compared
    np.testing.assert_allclose(np.array(given, float), np.array(expected, float), rtol=0, atol=1e-6)


def test_a_level_that_nothing_showed_is_bounded_and_named(records: pa.Table) -> None:
    settings = linkage_data.model()
    unseen = {"sql_condition": 'levenshtein("pnc_id_l", "pnc_id_r") <= 0', "label_for_charts": "never"}
    settings["comparisons"][4]["comparison_levels"].insert(2, unseen)  # equal numbers are at the level before
    found = train(records, settings, PLAN)
    done, bounds = bounded(found.settings, random_pairs=found.random_pairs, told_pairs=found.told_pairs)
    numbered = RECORDS - records["pnc_id"].null_count  # a pair without both numbers could not have shown the level
    assert found.random_pairs == ALL_PAIRS
    level = done["comparisons"][4]["comparison_levels"][2]
    assert numbered < RECORDS
    assert level["u_probability"] == pytest.approx(2 / (numbered * (numbered - 1)))
    assert {("pnc_id", "never", "u"), ("pnc_id", "never", "m")} <= {
        (bound.comparison, bound.level, bound.parameter) for bound in bounds
    }


def test_a_comparison_that_no_block_teaches_is_refused_by_name(records: pa.Table) -> None:
    with pytest.raises(Refused, match="'dob'"):
        train(records, model(), replace(PLAN, blocks=("l.dob = r.dob",)))


def test_the_limit_of_iterations_is_no_convergence(records: pa.Table) -> None:
    stopped = [session.learnt.stopped for session in train(records, model(), replace(PLAN, iterations=1)).sessions]
    assert stopped == [Stopped.LIMIT, Stopped.LIMIT]
    done = train(records, model(), PLAN)
    assert {session.learnt.stopped for session in done.sessions} == {Stopped.CONVERGED}
    assert all(session.learnt.changes[-1] < PLAN.convergence for session in done.sessions)


def test_thinned_blocks_and_samples_are_the_same_each_time(records: pa.Table) -> None:
    thin = replace(PLAN, block_pairs=300, random_pairs=50_000)
    one, other = train(records, model(), thin), train(records, model(), thin)
    assert one.settings == other.settings
    assert all(0 < session.pairs < _pairs(records, session.block) for session in one.sessions)


def test_the_number_of_threads_changes_nothing(records: pa.Table) -> None:
    plan = replace(PLAN, rarity=True)
    one, two = (train(records, model(), plan, resources=Resources(threads=threads)) for threads in (1, 2))
    assert one.settings == two.settings
    assert [session.learnt.changes for session in one.sessions] == [session.learnt.changes for session in two.sessions]


def _pairs(records: pa.Table, rule: str) -> int:
    whole: Trained = train(records, model(), PLAN)
    return next(session.pairs for session in whole.sessions if session.block == rule)


@pytest.mark.parametrize("seed", range(5))
def test_m_and_u_of_the_model_that_drew_the_data_are_found_again(seed: int) -> None:
    """Levels of 200,000 pairs drawn from a known model, independent given match: m and prior within 0.02."""
    rng = np.random.default_rng(seed)
    m = [np.array([0.85, 0.1, 0.05]), np.array([0.7, 0.2, 0.1]), np.array([0.9, 0.1]), np.array([0.6, 0.4])]
    u = [np.array([0.02, 0.08, 0.9]), np.array([0.05, 0.1, 0.85]), np.array([0.3, 0.7]), np.array([0.01, 0.99])]
    prior, pairs = 0.15, 200_000
    matching = rng.random(pairs) < prior
    levels = np.stack([_drawn(rng, matching, a, b) for a, b in zip(m, u, strict=True)], axis=1)
    found, counts = np.unique(levels, axis=0, return_counts=True)
    patterns = Patterns((0, 1, 2, 3), found.astype(np.int32), counts.astype(np.float64))
    start = Start(
        m=tuple(np.array([0.95, *[0.05 / (len(each) - 1)] * (len(each) - 1)]) for each in m),
        u=tuple(u),
        null=tuple(np.zeros(len(each), np.bool_) for each in m),
        fixed_m=tuple(np.zeros(len(each), np.bool_) for each in m),
        prior=0.05,
    )
    learnt = learn(patterns, start, convergence=1e-5, iterations=500)
    assert learnt.stopped is Stopped.CONVERGED
    assert learnt.prior == pytest.approx(prior, abs=0.02)
    for given, true in zip(learnt.m, m, strict=True):
        np.testing.assert_allclose(given, true, rtol=0, atol=0.02)


def _drawn(rng: np.random.Generator, matching: Any, m: Sequence[float] | Any, u: Sequence[float] | Any) -> Any:
    chosen = rng.random(len(matching))
    return np.where(matching, np.searchsorted(np.cumsum(m)[:-1], chosen), np.searchsorted(np.cumsum(u)[:-1], chosen))


def test_a_column_that_the_records_lack_is_named(records: pa.Table) -> None:
    with pytest.raises(UsageError, match="postcode"):
        train(records.drop_columns(["postcode"]), model(), PLAN)


def test_nothing_is_learnt_from_no_pairs(tmp_path: Path) -> None:
    table = dirty_records(tmp_path, 300, seed=2)
    births = pa.array([f"{1900 + i // 12}-{1 + i % 12:02}-01" for i in range(300)])
    apart = table.set_column(table.column_names.index("dob"), "dob", births)
    sessions = {session.block: session.learnt for session in train(apart, model(), PLAN).sessions}
    assert sessions["l.dob = r.dob"].stopped is Stopped.NOTHING
