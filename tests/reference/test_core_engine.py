"""The justice model through either engine: the same pairs and weights; and what goes wrong is said (METHODS 1)."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink import comparison_library as library

from counterfoil.errors import UsageError
from counterfoil.linkage import Engine
from counterfoil.linkage.engine import EngineUsed, engine_for, score, score_between, train
from counterfoil.linkage.model import Model, Resources
from counterfoil.linkage.prepare import prepare
from counterfoil.linkage.specification import load_specification
from counterfoil.warehouse import connect
from lib.links import SCHEMA, draw_lab_records

RESOURCES = Resources(threads=2, memory="1GB")
PEOPLE = 2_000  # the fewest that a population has
SOURCES = ("pnc", "prison", "probation")
PAIRS = 1_000_000  # at most

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Justice:
    """Prepared records of three sources, and the model that they taught."""

    prepared: pa.Table
    model: Model


@pytest.fixture(scope="module")
def justice(tmp_path_factory: pytest.TempPathFactory) -> Justice:
    tables = draw_lab_records(tmp_path_factory.mktemp("people"), PEOPLE, seed=2)
    specification = load_specification("justice")
    prepared = prepare(pa.concat_tables([tables[name].select(SCHEMA.names) for name in SOURCES]), specification)
    return Justice(prepared, train(prepared, specification, engine=Engine.CORE, resources=RESOURCES).model)


def scored(justice: Justice, engine: Engine, **options: Any) -> pa.Table:
    return score(
        justice.prepared, justice.model, threshold=-1000.0, pairs=PAIRS, engine=engine, resources=RESOURCES, **options
    )


def assert_same(ours: pa.Table, theirs: pa.Table) -> None:
    """The same pairs in the same order, weights to 1e-9 bits."""
    assert ours.num_rows > 0
    for name in ("unique_id_l", "unique_id_r"):
        assert ours[name].to_pylist() == theirs[name].to_pylist()
    weights = [table["match_weight"].to_numpy() for table in (ours, theirs)]
    np.testing.assert_allclose(weights[0], weights[1], rtol=0, atol=1e-9)


def test_the_justice_model_is_one_for_our_own_engine(justice: Justice) -> None:
    assert engine_for(justice.model, Engine.CORE) == EngineUsed(Engine.CORE)


@pytest.mark.parametrize("by", [(), ("groups",), ("fresh",), ("groups", "fresh")], ids=str)
def test_both_engines_find_the_same_pairs(justice: Justice, by: tuple[str, ...]) -> None:
    """Of all records; of different sources only; with a changed record only."""
    sources = np.unique(justice.prepared["source"].to_numpy(zero_copy_only=False), return_inverse=True)[1]
    every = {"groups": sources.astype(np.int64), "fresh": np.arange(justice.prepared.num_rows) % 7 == 0}
    chosen = {name: every[name] for name in by}
    assert_same(scored(justice, Engine.CORE, **chosen), scored(justice, Engine.SPLINK, **chosen))


def test_both_engines_find_the_same_pairs_between_two_tables(justice: Justice) -> None:
    left, right = justice.prepared.slice(0, 200), justice.prepared.slice(200)
    both = [
        score_between(left, right, justice.model, threshold=-1000.0, engine=engine, resources=RESOURCES)
        for engine in Engine
    ]
    assert_same(both[0].sort_by([("unique_id_l", "ascending"), ("unique_id_r", "ascending")]), both[1])


def test_rows_out_of_order_give_the_same_pairs(justice: Justice) -> None:
    order = np.random.default_rng(4).permutation(justice.prepared.num_rows)
    shuffled = replace(justice, prepared=justice.prepared.take(order))
    fresh = np.arange(justice.prepared.num_rows) % 7 == 0
    assert scored(shuffled, Engine.CORE, fresh=fresh[order]).equals(scored(justice, Engine.CORE, fresh=fresh))


@pytest.mark.parametrize("column", ["surname_std", "postcode_std", "name_key", "cro_std"])
def test_a_column_that_the_records_lack_is_named(justice: Justice, column: str) -> None:
    """A blocking key, a compared column, and one whose frequency counts, with or without known frequencies."""
    lacking = justice.prepared.drop_columns([column])
    for model in (justice.model, Model(justice.model.settings, {})):
        with pytest.raises(UsageError, match=f"column '{column}'"):
            score(lacking, model, threshold=0.0, pairs=PAIRS, engine=Engine.CORE, resources=RESOURCES)


@pytest.mark.parametrize(("change", "said"), [("m_probability", "wrong m"), ("u_probability", "wrong u")])
@pytest.mark.parametrize("value", [-0.1, 1.5, "much", float("nan"), float("inf")])
def test_an_impossible_weight_is_refused(justice: Justice, change: str, said: str, value: object) -> None:
    settings = deepcopy(dict(justice.model.settings))
    settings["comparisons"][0]["comparison_levels"][1][change] = value
    wrong = Model(settings, justice.model.frequencies)
    with pytest.raises(UsageError, match=f"name has a {said}"):
        score(justice.prepared, wrong, threshold=0.0, pairs=PAIRS, engine=Engine.CORE, resources=RESOURCES)


def test_what_our_own_engine_cannot_say_splink_does_and_the_reason_is_given(justice: Justice) -> None:
    settings = deepcopy(dict(justice.model.settings))
    settings["comparisons"][0]["comparison_levels"][3]["sql_condition"] = "regexp_matches(name_key_l, name_key_r)"
    other = Model(settings, justice.model.frequencies)
    used = engine_for(other, Engine.CORE)
    assert used.engine is Engine.SPLINK
    assert "name" in used.because
    both = [
        score(justice.prepared, other, threshold=-1000.0, pairs=PAIRS, engine=engine, resources=RESOURCES)
        for engine in Engine
    ]
    assert_same(*both)


def test_a_model_that_splink_saved_scores_as_splink_scores_it(tmp_path: Path) -> None:
    """The JSON of Splink's own library of comparisons, read back from its file."""
    names = ["JONES", "JONAS", "ŻUK", "SMITH", "SMYTH", "BROWN", None, "JONES"]
    table = pa.table({"unique_id": range(8), "surname": names, "dob": ["1990-01-02"] * 7 + [None], "block": ["a"] * 8})
    creator = SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[block_on("block")],
        comparisons=[
            library.JaroWinklerAtThresholds("surname", [0.9, 0.7]).configure(term_frequency_adjustments=True),
            library.LevenshteinAtThresholds("dob", 1),
        ],
    )
    connection = connect(threads=1)
    try:
        connection.register("given", table)
        connection.execute("CREATE TABLE records AS SELECT * FROM given")
        linker = Linker(DuckDBAPI(connection=connection).register("records"), creator, log_level=None)
        linker.misc.save_model_to_json(str(tmp_path / "model.json"))
        theirs = linker.inference.predict(threshold_match_weight=-1000.0, warning_mode="never")
        sql = f"SELECT unique_id_l, unique_id_r, match_weight FROM {theirs.physical_name} ORDER BY 1, 2"
        expected = connection.sql(sql).to_arrow_table()
    finally:
        connection.close()
    model = Model(json.loads((tmp_path / "model.json").read_text(encoding="utf-8")), {})
    ours = score(table, model, threshold=-1000.0, pairs=28, engine=Engine.CORE, resources=RESOURCES)
    assert_same(ours, expected)
