"""Training on public files: Splink's parameters on the same pairs, and F1 no worse than Splink's (METHODS 1).

What Splink gave for the historical people was worked out once with Splink 5.0.0 on DuckDB 2.0.1, from the same model,
training blocks, prior rules and recall as here, u from 5,000,000 random pairs; see `SPLINK_F1`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from splink import DuckDBAPI, Linker

from counterfoil.linkage.core.encode import encode
from counterfoil.linkage.core.score import score
from counterfoil.linkage.core.splink_json import read_model
from counterfoil.linkage.core.train import Plan, train
from counterfoil.linkage.model import bounded
from counterfoil.warehouse import connect, query
from lib import historical_people

pytestmark = pytest.mark.slow

Settings = dict[str, Any]
Example = tuple[pa.Table, Settings, Plan]


def _comparison(column: str, *conditions: str, tf: bool = True) -> Settings:
    missing = {"sql_condition": f"{column}_l IS NULL OR {column}_r IS NULL", "is_null_level": True}
    same: Settings = {"sql_condition": f"{column}_l = {column}_r"}
    if tf:
        same |= {"tf_adjustment_column": column, "tf_adjustment_weight": 1.0}
    alike = [{"sql_condition": f"{condition}"} for condition in conditions]
    levels = [missing, same, *alike, {"sql_condition": "ELSE"}]
    named = [{"label_for_charts": f"level {k}", **level} for k, level in enumerate(levels)]
    return {"output_column_name": column, "comparison_levels": named}


def _jaro(column: str, *limits: float) -> Settings:
    return _comparison(column, *[f"jaro_winkler_similarity({column}_l, {column}_r) >= {limit}" for limit in limits])


def _edits(column: str, *edits: int) -> Settings:
    conditions = [f"damerau_levenshtein({column}_l, {column}_r) <= {limit}" for limit in edits]
    return _comparison(column, *conditions, tf=False)


def _settings(*comparisons: Settings) -> Settings:
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "blocking_rules_to_generate_predictions": ["l.dob = r.dob"],
        "comparisons": list(comparisons),
        "em_convergence": 1e-4,
        "max_iterations": 25,
        "linker_uid": "files",
    }


def _plan(records: int, prior: Sequence[str], blocks: Sequence[str]) -> Plan:
    pairs = records * (records - 1) // 2
    return Plan(tuple(prior), 0.7, tuple(blocks), random_pairs=pairs, block_pairs=10**9, iterations=25)


def fake_1000(shared: Path) -> Example:
    file = shared / "data" / "linkage" / "splink_fake_1000.csv"
    table = query(f"SELECT * FROM read_csv('{file}', all_varchar = true) ORDER BY unique_id::INTEGER", {})
    settings = _settings(
        _jaro("first_name", 0.9, 0.7), _jaro("surname", 0.9, 0.7), _edits("dob", 1, 2), _comparison("city")
    )
    prior = ["l.first_name = r.first_name AND l.surname = r.surname AND l.dob = r.dob", "l.email = r.email"]
    return table, settings, _plan(table.num_rows, prior, ["l.first_name = r.first_name", "l.dob = r.dob"])


def febrl_4(shared: Path) -> Example:
    files = [str(shared / "data" / "linkage" / f"febrl_dataset4{part}.csv.gz") for part in "ab"]
    table = query(
        f"""SELECT row_number() OVER (ORDER BY rec_id) AS unique_id, given_name, surname, postcode, soc_sec_id,
                   date_of_birth AS dob
            FROM read_csv({files}, all_varchar = true) WHERE entity::INTEGER < 600 ORDER BY rec_id""",
        {},
    )
    settings = _settings(
        _jaro("given_name", 0.9, 0.7), _jaro("surname", 0.9, 0.7), _edits("dob", 1, 2), _edits("postcode", 1)
    )
    return table, settings, _plan(
        table.num_rows, ["l.soc_sec_id = r.soc_sec_id"], ["l.surname = r.surname", "l.dob = r.dob"]
    )  # fmt: skip


def historical(shared: Path) -> Example:
    table = historical_people.records(shared, 1_500)
    plan = _plan(table.num_rows, historical_people.PRIOR_RULES, historical_people.BLOCKS)
    return table, historical_people.model(), plan


def _learnt_by_splink(table: pa.Table, settings: Settings, plan: Plan, *, rarity: bool) -> Settings:
    connection = connect(threads=2, memory_limit="2GB")
    try:
        connection.register("given", table)
        connection.execute("CREATE TABLE records AS SELECT * FROM given")
        linker = Linker(DuckDBAPI(connection=connection).register("records"), settings, log_level=None)
        linker.training.estimate_probability_two_random_records_match(list(plan.prior_rules), recall=plan.prior_recall)
        linker.training.estimate_u_using_random_sampling(max_pairs=10**9, min_count_per_level=None, num_chunks=1)
        for rule in plan.blocks:
            linker.training.estimate_parameters_using_expectation_maximisation(
                rule, estimate_without_term_frequencies=not rarity
            )
        found: Settings = linker.misc.save_model_to_json()
    finally:
        connection.close()
    return found


def _seen(settings: Settings) -> dict[tuple[str, int, str], float]:
    """m and u of each level that training saw."""
    return {
        (comparison["output_column_name"], k, parameter): level[parameter]
        for comparison in settings["comparisons"]
        for k, level in enumerate(comparison["comparison_levels"])
        for parameter in ("m_probability", "u_probability")
        if not level.get("is_null_level") and level.get(parameter) is not None
    }


@pytest.mark.parametrize(
    ("example", "rarity"), [(fake_1000, True), (febrl_4, False), (historical, False), (historical, True)]
)
def test_parameters_are_those_of_splink(shared: Path, example: Callable[[Path], Example], rarity: bool) -> None:
    table, settings, plan = example(shared)
    theirs = _learnt_by_splink(table, settings, plan, rarity=rarity)
    ours = train(table, settings, replace(plan, rarity=rarity)).settings
    given, expected = _seen(ours), _seen(theirs)
    assert ours["probability_two_random_records_match"] == pytest.approx(
        theirs["probability_two_random_records_match"], abs=1e-12
    )
    assert set(given) == set(expected)
    for level, value in expected.items():
        assert given[level] == pytest.approx(value, abs=1e-6), level


# Splink's F1 of pairs at probability 0.5, u from all 5,000,000 random pairs: 0.7431 (seed 1), 0.7428 (seed 2). Ours is
# between 0.7426 and 0.7430 (four seeds), so the two differ by no more than draws. Splink's early stop of random pairs,
# its default, which we have not, gave 0.7435 and 0.7443 (seeds 1 and 3): recall up by 0.002, precision down as much.
SPLINK_F1 = 0.7431
DRAWS = 0.001


def test_f1_on_historical_people_is_no_worse_than_splinks(shared: Path) -> None:
    table = historical_people.records(shared)
    plan = Plan(
        historical_people.PRIOR_RULES,
        historical_people.RECALL,
        historical_people.BLOCKS,
        random_pairs=5_000_000,
        block_pairs=10**9,
        iterations=25,
    )
    found = train(table, historical_people.model(), plan)
    settings, _ = bounded(found.settings, random_pairs=found.random_pairs)
    model = read_model(settings)
    pairs = score(encode(table, model, {}), model, threshold=0.0).pairs
    _, who = np.unique(table["cluster"].to_numpy(zero_copy_only=False), return_inverse=True)
    same = who[pairs["left"].to_numpy()] == who[pairs["right"].to_numpy()]
    people = np.bincount(who)
    f1 = 2 * int(same.sum()) / (len(same) + int((people * (people - 1) // 2).sum()))
    assert f1 >= SPLINK_F1 - DRAWS
