"""Learning a model from the records themselves: the prior from certain pairs, u from random ones, m by EM over blocks.

Which session learns which comparison is known before anything is counted: one that shares a column with the block says
nothing of it. A comparison that no session learns stops the run. Parameters are those of Splink on the same pairs; only
a level that no random pair showed differs, for which u is bounded by how many pairs were looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import sqlglot
from sqlglot import exp

from counterfoil.errors import Refused
from counterfoil.lab.progress import Progress, silent
from counterfoil.linkage.core.blocks import Block, block, by_key, ranges_within
from counterfoil.linkage.core.counts import Patterns, count_block, count_made, count_sample
from counterfoil.linkage.core.encode import DEFAULT_RESOURCES, Encoded, Frequencies, Resources, columns_of, encode
from counterfoil.linkage.core.expectation import CLAMP, Learnt, Start, Stopped, learn
from counterfoil.linkage.core.kernel import Own
from counterfoil.linkage.core.layout import Flags, Floats, Ints, Kind
from counterfoil.linkage.core.score import own_of
from counterfoil.linkage.core.splink_json import CoreModel, read_model

EXACT_SHARE = 0.95  # of m, where learning starts, at the first level
Settings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a model learns from. Rules are SQL over l and r, as Splink writes them."""

    prior_rules: tuple[str, ...]
    prior_recall: float  # share of true pairs that the prior rules are thought to find
    blocks: tuple[str, ...]
    random_pairs: int
    block_pairs: int  # of one block; more are thinned by records
    seed: int = 1
    rarity: bool = False  # term frequencies in the iterations
    convergence: float = 1e-4
    iterations: int = 50


@dataclass(frozen=True, slots=True)
class Session:
    """One block: what it learnt, how many pairs it saw, and why it stopped."""

    block: str
    comparisons: tuple[str, ...]
    pairs: int
    learnt: Learnt

    def about(self) -> Mapping[str, Any]:
        """For a report."""
        return {
            "block": self.block,
            "trains": list(self.comparisons),
            "pairs": self.pairs,
            "iterations": self.learnt.iterations,
            "converged": self.learnt.stopped is Stopped.CONVERGED,
            "stopped": self.learnt.stopped.value,
            "last_change": self.learnt.changes[-1] if self.learnt.changes else None,
        }


@dataclass(frozen=True, slots=True)
class Trained:
    """The settings with what was learnt (a level that nothing showed has no m or u), and how it went.

    `random_pairs`: pairs that were looked at for u; `told_pairs`: those of them in which a comparison was not null, by
    its name. `prior_at`: the prior were the recall of the prior rules another.
    """

    settings: Settings
    sessions: tuple[Session, ...]
    random_pairs: int
    prior_at: Mapping[str, float]
    told_pairs: Mapping[str, int]


def sessions_of(settings: Mapping[str, Any], model: CoreModel, blocks: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """For each block the comparisons that it can teach. Refused names a comparison that none can."""
    used = [{c for item in inputs if item.kind is not Kind.FREQUENCY for c in item.columns} for inputs in model.inputs]
    matrix = {rule: tuple(c for c, own in enumerate(used) if not own & _columns(rule)) for rule in blocks}
    taught = {c for comparisons in matrix.values() for c in comparisons}
    for c, comparison in enumerate(settings["comparisons"]):
        if c not in taught:
            raise Refused(
                f"No training block can teach the comparison {comparison['output_column_name']!r}: each block shares a "
                "column with it. Add a block to `em_blocks` in the domain's linkage.toml that shares none.",
                rule="training",
            )
    return matrix


def train(
    table: pa.Table,
    settings: Mapping[str, Any],
    plan: Plan,
    *,
    frequencies: Frequencies | None = None,
    groups: Ints | None = None,
    resources: Resources = DEFAULT_RESOURCES,
    progress: Progress = silent,
) -> Trained:
    """Learn the settings' model from `table`. With `groups` only pairs of different groups are learnt from."""
    rules = [*plan.prior_rules, *plan.blocks]
    model = read_model({**settings, "blocking_rules_to_generate_predictions": rules})
    matrix = sessions_of(settings, model, plan.blocks)
    progress("Training: encoding", 0.0)
    encoded = encode(table, model, frequencies or {}, resources=resources)
    found = deepcopy(dict(settings))
    progress("Training: random pairs", 0.2)
    with ThreadPoolExecutor(1) as beside:
        prior = beside.submit(_prior, encoded, len(plan.prior_rules), plan)
        ordered = _orders(beside, encoded, plan)
        own = own_of(encoded, model)
        looked_at, told = _learn_u(found, encoded, model, own, plan, groups, resources.threads)
        prior_at = prior.result()
        found["probability_two_random_records_match"] = prior_at[str(plan.prior_recall)]
        medians: dict[tuple[int, int], list[float]] = {}
        sessions = []
        for number, rule in enumerate(plan.blocks):
            progress(f"Training: block {number + 1} of {len(plan.blocks)}", 0.3 + 0.7 * number / len(plan.blocks))
            weighed = replace(model, weights=_current(found, model)) if plan.rarity else model
            active = matrix[rule]
            patterns = count_block(
                encoded, weighed, own, next(ordered), active, rarity=plan.rarity, threads=resources.threads
            )
            sessions.append(_session(found, patterns, plan, rule, looked_at))
            _take(found, sessions[-1], active, medians)
    return Trained(found, tuple(sessions), looked_at, prior_at, told)


def _orders(beside: ThreadPoolExecutor, encoded: Encoded, plan: Plan) -> Iterator[Block]:
    """The order of each block, made while pairs of the one before are counted."""
    first = len(plan.prior_rules)
    waiting = [beside.submit(_thinned, encoded, first, plan)]
    for rule in range(first + 1, first + len(plan.blocks)):
        made = waiting.pop().result()
        waiting.append(beside.submit(_thinned, encoded, rule, plan))
        yield made
    yield waiting.pop().result()


def _columns(rule: str) -> set[str]:
    return set(columns_of(rule))


def _prior(encoded: Encoded, rules: int, plan: Plan) -> dict[str, float]:
    """The prior at the plan's recall and at others, by recall."""
    found = count_made(encoded, [block(encoded, rule) for rule in range(rules)])
    possible = encoded.records * (encoded.records - 1) / 2
    if not found:
        raise Refused(
            "The model cannot learn from these records: no pair agrees on a rule that tells the same person beyond "
            "doubt. Load all sources in full before `counterfoil link`, and see in their receipts whether numbers, "
            "names and birth dates were refused.",
            rule="training",
        )
    recalls = dict.fromkeys((plan.prior_recall, 0.5, 0.7, 0.9))
    return {str(recall): min(found / recall / possible, 1 - 1e-9) for recall in recalls}


def _learn_u(
    settings: Settings, encoded: Encoded, model: CoreModel, own: Own, plan: Plan, groups: Ints | None, threads: int
) -> tuple[int, dict[str, int]]:
    """Write u of every level that a random pair showed; how many pairs were looked at, and not null in each."""
    wanted = 0.5 * ((8 * plan.random_pairs + 1) ** 0.5 + 1)
    share = min(1.0, wanted / max(encoded.records, 1))
    sample = np.flatnonzero(_chosen(encoded.records, share, plan.seed))
    counts = count_sample(encoded, model, own, sample, groups, threads=threads)
    told = {}
    for c, comparison in enumerate(settings["comparisons"]):
        null = [bool(level.get("is_null_level")) for level in comparison["comparison_levels"]]
        seen = np.where(null, 0, counts[c, : len(null)])
        told[comparison["output_column_name"]] = max(1, int(seen.sum()))
        for k, level in enumerate(comparison["comparison_levels"]):
            if not null[k] and not level.get("fix_u_probability") and seen[k]:
                level["u_probability"] = float(seen[k] / seen.sum())
    return max(1, len(sample) * (len(sample) - 1) // 2), told


def _chosen(records: int, share: float, seed: int) -> Flags:
    """Each record by a hash of its number: the same whatever else changes."""
    if share >= 1:
        return np.ones(records, np.bool_)
    with np.errstate(over="ignore"):
        mixed = np.arange(records, dtype=np.uint64) + np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
    chosen: Flags = mixed < np.uint64(int(share * 2**64))
    return chosen


def _session(settings: Settings, patterns: Patterns, plan: Plan, rule: str, looked_at: int) -> Session:
    start = _start(settings, rule, patterns.comparisons, looked_at)
    learnt = learn(patterns, start, convergence=plan.convergence, iterations=plan.iterations)
    names = tuple(settings["comparisons"][c]["output_column_name"] for c in patterns.comparisons)
    return Session(rule, names, patterns.pairs, learnt)


def _current(settings: Settings, model: CoreModel) -> Any:
    """The weights of the settings as they are now: rarity is measured from the u that has been learnt."""
    rules = [rule.sql for rule in model.rules]
    return read_model({**settings, "blocking_rules_to_generate_predictions": rules}).weights


def _thinned(encoded: Encoded, rule: int, plan: Plan) -> Block:
    """The block order, of fewer records when it has more pairs than the plan wants."""
    whole = block(encoded, rule)
    if whole.pairs <= plan.block_pairs or not whole.one_order:
        return whole
    kept = _chosen(encoded.records, (plan.block_pairs / whole.pairs) ** 0.5, plan.seed + 1)
    order, start = by_key(np.where(kept, encoded.left_keys[rule], -1).astype(np.int32))
    low, high = ranges_within(order, start, np.ones(0, np.bool_))
    return Block(rule, order, order, low, high, one_order=True)


def _start(settings: Settings, rule: str, comparisons: Sequence[int], looked_at: int) -> Start:
    levels = [settings["comparisons"][c]["comparison_levels"] for c in comparisons]
    null = tuple(np.array([bool(level.get("is_null_level")) for level in each]) for each in levels)
    return Start(
        m=tuple(_given_m(each) for each in levels),
        u=tuple(_given_u(each, looked_at) for each in levels),
        null=null,
        fixed_m=tuple(np.array([bool(level.get("fix_m_probability")) for level in each]) for each in levels),
        prior=_raised_prior(settings, rule, looked_at),
    )


def _given_m(levels: Sequence[Mapping[str, Any]]) -> Floats:
    """m as it is, or where learning starts: nearly all agree at the first level."""
    said = [level for level in levels if not level.get("is_null_level")]
    rest = (1 - EXACT_SHARE) / max(len(said) - 1, 1)
    found, first = [], True
    for level in levels:
        if level.get("is_null_level"):
            found.append(0.0)
            continue
        given = level.get("m_probability")
        found.append(float(given) if given is not None else EXACT_SHARE if first else rest)
        first = False
    return np.array(found)


def _given_u(levels: Sequence[Mapping[str, Any]], looked_at: int) -> Floats:
    """u as it is; of a level that no random pair showed, one in as many as were looked at."""
    given = [level.get("u_probability") for level in levels]
    return np.array([1 / looked_at if u is None else float(u) for u in given])


def _raised_prior(settings: Settings, rule: str, looked_at: int) -> float:
    """The prior among pairs of a block: raised by the exact levels that it implies, those of most columns first."""
    left = {column.lower() for column in _columns(rule)}
    exact = []
    for comparison in settings["comparisons"]:
        levels = comparison["comparison_levels"]
        m, u = _given_m(levels), _given_u(levels, looked_at)
        for k, level in enumerate(levels):
            columns = exact_columns(level["sql_condition"]) if not level.get("is_null_level") else ()
            if columns:
                exact.append((columns, max(m[k], CLAMP) / max(u[k], CLAMP)))
    prior = float(settings["probability_two_random_records_match"])
    odds = prior / (1 - prior)
    for columns, factor in sorted(exact, key=lambda item: -len(item[0])):
        if set(columns) <= left:
            left -= set(columns)
            odds *= factor
    return float(odds / (1 + odds))


def exact_columns(condition: str) -> tuple[str, ...]:
    """The columns that a level wants equal on both sides, if it wants nothing else; else none."""
    if condition.strip().upper() == "ELSE":
        return ()
    parts = list(sqlglot.parse_one(condition.lower(), dialect="duckdb").flatten(unnest=True))
    if not isinstance(sqlglot.parse_one(condition.lower(), dialect="duckdb"), exp.And):
        parts = [sqlglot.parse_one(condition.lower(), dialect="duckdb")]
    found = []
    for part in parts:
        if not isinstance(part, exp.EQ):
            return ()
        one, other = part.this, part.expression
        if not (isinstance(one, exp.Column) and isinstance(other, exp.Column)):
            return ()
        if one.name[:-2] != other.name[:-2] or {one.name[-2:], other.name[-2:]} != {"_l", "_r"}:
            return ()
        found.append(one.name[:-2])
    return tuple(found)


def _take(
    settings: Settings, session: Session, comparisons: Sequence[int], medians: dict[tuple[int, int], list[float]]
) -> None:
    """Each level's m is the median of what the sessions so far have learnt of it."""
    if session.learnt.stopped is Stopped.NOTHING:
        return
    for a, c in enumerate(comparisons):
        for k, level in enumerate(settings["comparisons"][c]["comparison_levels"]):
            value = session.learnt.m[a][k]
            if level.get("is_null_level") or level.get("fix_m_probability") or np.isnan(value):
                continue
            medians.setdefault((c, k), []).append(float(value))
            level["m_probability"] = median(medians[c, k])


__all__ = ["Plan", "Session", "Trained", "exact_columns", "sessions_of", "train"]
