"""Our own engine on the benchmark's records: the same work as benchmarks/peer_splink.py, file to file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import linkage_data
from benchmarks.harness import Ready
from benchmarks.peer_splink import FEW, LEAST_WEIGHT, RANDOM_PAIRS, SEED, THREADS, TRAINING_PAIRS
from counterfoil.linkage.clusters import Links, components
from counterfoil.linkage.core.encode import Encoded, encode
from counterfoil.linkage.core.index import Index
from counterfoil.linkage.core.score import score as score_encoded
from counterfoil.linkage.core.searcher import Searcher
from counterfoil.linkage.core.splink_json import CoreModel, read_model
from counterfoil.linkage.core.train import Plan
from counterfoil.linkage.core.train import train as learn
from counterfoil.linkage.model import bounded

MEMORY = 12 * 10**9
CLUSTER_WEIGHT = 4.247927513443585  # log2 of the odds at probability 0.95
_PARTS = ["unique_id", *linkage_data.COLUMNS]


def score(records: str, model: str, out: str) -> Ready:
    """Read, encode, block and score with a trained model: from a Parquet file of records to one of pairs."""

    def work() -> None:
        table, read = pq.read_table(records, columns=_PARTS), _model(model)
        ids, encoded = table["unique_id"], encode(table, read, {})
        del table
        _write(ids, _pairs(encoded, read), out)

    return work


def train(records: str, out: str, term_frequencies: bool) -> Ready:
    """Prior, u and m of the untrained model from a file of records; writes model JSON. A few records come first."""
    _trained(pq.read_table(records, columns=_PARTS).slice(0, FEW), term_frequencies)

    def work() -> None:
        table = pq.read_table(records, columns=_PARTS)
        Path(out).write_text(json.dumps(_trained(table, term_frequencies), indent=1) + "\n", "utf-8")

    return work


def _trained(table: pa.Table, term_frequencies: bool) -> dict[str, Any]:
    plan = Plan(
        prior_rules=linkage_data.PRIOR_RULES,
        prior_recall=linkage_data.PRIOR_RECALL,
        blocks=linkage_data.TRAINING_RULES,
        random_pairs=RANDOM_PAIRS,
        block_pairs=TRAINING_PAIRS,
        seed=SEED,
        rarity=term_frequencies,
        iterations=25,
    )
    trained = learn(table, linkage_data.model(), plan)
    return bounded(trained.settings, random_pairs=trained.random_pairs)[0]


def link(records: str, out: str) -> Ready:
    """The whole job: train, block, score, cluster at 0.95. Writes unique_id and cluster."""

    def work() -> None:
        table = pq.read_table(records, columns=_PARTS)
        model = read_model(_trained(table, term_frequencies=False))
        pairs = _pairs(encode(table, model, {}), model)
        left, right = (pairs[side].to_numpy().astype(np.int64) for side in ("left", "right"))
        links = Links(left, right, pairs["match_weight"].to_numpy()).above(CLUSTER_WEIGHT)
        labels = components(table.num_rows, links)
        pq.write_table(pa.table({"unique_id": table["unique_id"], "cluster": labels}), out)

    return work


def score_encoded_only(records: str, model: str, out: str) -> Ready:
    """The same with the encoded table at hand."""
    table, read = pq.read_table(records, columns=_PARTS), _model(model)
    encoded = encode(table, read, {})
    return lambda: _write(table["unique_id"], _pairs(encoded, read), out)


def cohort(cohort: str, records: str, model: str, out: str) -> Ready:
    """A short list against all records whose encoded table is kept."""
    table, read = pq.read_table(records, columns=_PARTS), _model(model)
    encoded = encode(table, read, {})
    index = Index.of(table, encoded, read, {})

    def work() -> None:
        listed = pq.read_table(cohort, columns=_PARTS)
        searcher = Searcher(index, read)
        pq.write_table(searcher.find(listed, threshold=LEAST_WEIGHT), out)

    return work


def search(cohort: str, records: str, model: str, out: str) -> Ready:
    """The same people, asked for one at a time in one process."""
    table, read = pq.read_table(records, columns=_PARTS), _model(model)
    searcher = Searcher(Index.of(table, encode(table, read, {}), read, {}), read)
    listed = pq.read_table(cohort, columns=_PARTS)
    searcher.find(listed.slice(0, 1), threshold=LEAST_WEIGHT)

    def work() -> None:
        found = [searcher.find(listed.slice(i, 1), threshold=LEAST_WEIGHT) for i in range(listed.num_rows)]
        pq.write_table(pa.concat_tables(found), out)

    return work


def _model(path: str) -> CoreModel:
    return read_model(json.loads(Path(path).read_text("utf-8")))


def _pairs(encoded: Encoded, model: CoreModel) -> pa.Table:
    return score_encoded(encoded, model, threshold=LEAST_WEIGHT, threads=THREADS, memory=MEMORY).pairs


def _write(unique_ids: pa.ChunkedArray, pairs: pa.Table, out: str) -> None:
    ids = unique_ids.combine_chunks()
    ends = {f"unique_id_{side[0]}": ids.take(pairs[side].combine_chunks()) for side in ("left", "right")}
    pq.write_table(pa.table({**ends, "match_weight": pairs["match_weight"]}), out)
