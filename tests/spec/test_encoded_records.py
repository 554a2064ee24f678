"""Records encoded once: any of them score as if they alone had been encoded (METHODS 1: each pair scored once)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from benchmarks import linkage_data
from counterfoil.linkage import core_engine
from counterfoil.linkage.engine import Engine, Scorer
from counterfoil.linkage.model import Model, Resources
from lib.core_records import dirty_records, with_parameters

RESOURCES = Resources(threads=2, memory="2GB")


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    return dirty_records(tmp_path_factory.mktemp("records"), 3_000)


@pytest.mark.parametrize("chosen", ["every third", "backwards", "all", "none"])
def test_some_records_score_as_if_they_were_all(records: pa.Table, chosen: str) -> None:
    rows = {
        "every third": np.arange(0, records.num_rows, 3),
        "backwards": np.arange(records.num_rows)[::-2],
        "all": np.arange(records.num_rows),
        "none": np.empty(0, np.int64),
    }[chosen]
    rules = [*linkage_data.LOOSE_RULES, "l.first_name = r.surname AND l.surname = r.first_name"]
    settings = with_parameters(linkage_data.model()) | {"blocking_rules_to_generate_predictions": rules}
    shares = {name: _shares(records, name) for name in ("first_name", "surname")}
    model = Model(settings, shares)
    groups, fresh = np.arange(rows.size) % 2, np.arange(rows.size) % 3 == 0
    whole = core_engine.encode(records, model, RESOURCES)
    found = whole.score(rows, threshold=-5.0, groups=groups, fresh=fresh)
    alone = core_engine.encode(records.take(pa.array(rows)), model, RESOURCES)
    assert found.equals(alone.score(None, threshold=-5.0, groups=groups, fresh=fresh))
    assert (found.num_rows > 50) == (chosen != "none")


def _shares(records: pa.Table, name: str) -> pa.Table:
    counted = records[name].drop_null().value_counts()
    counts = counted.field("counts").to_numpy()
    return pa.table({name: counted.field("values"), f"tf_{name}": counts / counts.sum()})


@pytest.mark.parametrize("engine", list(Engine))
@pytest.mark.parametrize("every", [3, 40])
def test_pairs_with_a_fresh_record_are_all_found(records: pa.Table, engine: Engine, every: int) -> None:
    """Whatever is left out of the encoding: the pairs are those of the whole table of which one record is fresh."""
    rules = [
        *linkage_data.LOOSE_RULES,
        "l.first_name = r.surname AND substr(l.surname, 1, 3) = substr(r.surname, 1, 3)",
    ]
    settings = with_parameters(linkage_data.model()) | {"blocking_rules_to_generate_predictions": rules}
    model = Model(settings, {name: _shares(records, name) for name in ("first_name", "surname")})
    fresh = np.arange(records.num_rows) % every == 0
    near = core_engine.near(records, model, fresh, RESOURCES)
    assert fresh.sum() < near.sum() < records.num_rows
    rows = np.arange(records.num_rows)[5:]
    groups = rows // 7 % 5
    scorer = Scorer(records, model, engine=engine, resources=RESOURCES, fresh=fresh)
    found = scorer.score(rows, only_fresh=True, threshold=-5.0, groups=groups, pairs=pa.Table.__len__)
    whole = Scorer(records, model, engine=Engine.CORE, resources=RESOURCES)
    every_pair = whole.score(rows, threshold=-5.0, groups=groups, pairs=pa.Table.__len__)
    ends = [every_pair[f"unique_id_{side}"].to_numpy() for side in "lr"]
    wanted = every_pair.filter(pa.array(fresh[rows[ends[0]]] | fresh[rows[ends[1]]]))
    assert wanted.num_rows > 50
    for name in ("unique_id_l", "unique_id_r"):
        assert found[name].equals(wanted[name])
    assert np.abs(found["match_weight"].to_numpy() - wanted["match_weight"].to_numpy()).max() < 1e-9
