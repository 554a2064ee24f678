"""Every compiled function of the core, run once on a few records: `counterfoil.cli.compiling` does so at set-up.

In three parts, because it takes minutes: after the first the other two can go on beside each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from counterfoil.linkage.clusters import Links, components
from counterfoil.linkage.core.encode import encode
from counterfoil.linkage.core.index import Index, told_of
from counterfoil.linkage.core.key_order import Keys
from counterfoil.linkage.core.order_merge import grown
from counterfoil.linkage.core.reader import DEFAULT_RESOURCES
from counterfoil.linkage.core.sameness import same_rows
from counterfoil.linkage.core.score import score
from counterfoil.linkage.core.searcher import Searcher
from counterfoil.linkage.core.splink_json import read_model
from counterfoil.linkage.core.train import Plan, train

_TABLE = pa.table(
    {
        "unique_id": list(range(8)),
        "name": ["ANNA", "ANNE", "BERT", "BERT", "CARL", "KARL", "DORA", "DORA"],
        "town": ["ASH", "ASH", "BOW", "BOW", "ASH", "ASH", "BOW", "BOW"],
        "aka": [["ANN", "ANA"], ["ANA"], [], ["BOB"], ["CHAS"], ["CHAS", "CAL"], None, ["DOT"]],
    }
)
_MANY = 1_000  # records in one block: more pairs than those for which the order of comparisons is not chosen
_RULES = ["l.town = r.town", "l.name = r.town", "l.name = r.name and l.town = r.town", "l.name = r.name"]


def _level(sql: str, **more: Any) -> dict[str, Any]:
    return {"sql_condition": sql, "label_for_charts": sql, **more}


def _comparison(column: str) -> dict[str, Any]:
    same = {"m_probability": 0.9, "u_probability": 0.1, "tf_adjustment_column": column, "tf_adjustment_weight": 1.0}
    levels = [
        _level(f"{column}_l IS NULL OR {column}_r IS NULL", is_null_level=True),
        _level(f"{column}_l = {column}_r", **same),
        _level(f"jaro_winkler_similarity({column}_l, {column}_r) >= 0.9", m_probability=0.05, u_probability=0.1),
        _level("ELSE", m_probability=0.05, u_probability=0.8),
    ]
    return {"output_column_name": column, "comparison_levels": levels}


def _overlap(column: str) -> dict[str, Any]:
    levels = [
        _level(f"{column}_l IS NULL OR {column}_r IS NULL", is_null_level=True),
        _level(f"array_length(list_intersect({column}_l, {column}_r)) >= 1", m_probability=0.5, u_probability=0.1),
        _level("ELSE", m_probability=0.5, u_probability=0.9),
    ]
    return {"output_column_name": column, "comparison_levels": levels}


def settings() -> dict[str, Any]:
    """A model that uses every part of the core."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": 0.1,
        "blocking_rules_to_generate_predictions": _RULES,
        "comparisons": [_comparison("name"), _comparison("town"), _overlap("aka")],
    }


def warm_first() -> None:
    """What both parts below are made of: the conditions, and the encoding of a table."""
    encode(_TABLE, read_model(settings()), {})


def warm_scoring() -> None:
    """Score, cluster, search."""
    model = read_model(settings())
    encoded = encode(_TABLE, model, {})
    pairs = score(encoded, model, threshold=-100.0, fresh=np.ones(8, np.bool_)).pairs
    left, right = (pairs[side].to_numpy().astype(np.int64) for side in ("left", "right"))
    components(8, Links(left, right, pairs["match_weight"].to_numpy()))
    searcher = Searcher(Index.of(_TABLE, encoded, model, {}), model)
    searcher.find(_TABLE, threshold=-100.0)
    searcher.find_one({"name": "NEW", "town": "ASH", "aka": ["NEWT"]}, threshold=-100.0, most=8)
    schema, types = told_of(_TABLE, model)
    for order in Keys(_TABLE, schema, DEFAULT_RESOURCES).orders(model.rules, types):
        order.counted()
        order.in_larger(0)
        order.mark_near(np.ones(8, np.bool_), np.zeros(8, np.bool_))
        grown(order, np.arange(8), order)
    listed = _TABLE.append_column("names", pa.array([["ANNA"]] * 8))
    same_rows(listed, listed, "name", ["town", "names"])


def warm_training() -> None:
    """Count patterns, learn from them, and choose the order of comparisons."""
    for rarity in (False, True):
        plan = Plan(("l.name = r.name",), 0.9, ("l.town = r.town", "l.name = r.name"), 28, 1000, rarity=rarity)
        train(_TABLE, settings(), plan)
    model = read_model(settings())
    many = pa.table({name: (_TABLE[name].to_pylist() * _MANY)[:_MANY] for name in _TABLE.column_names[1:]})
    many = many.add_column(0, "unique_id", pa.array(range(_MANY)))
    score(encode(many, model, {}), model, threshold=-100.0)
