"""A Splink model (JSON of version 4 or 5) as the core runs it, with the weights that Splink gives its levels."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlglot import exp

from counterfoil.errors import UsageError
from counterfoil.linkage.core.conditions import Compiler, Condition, NotExpressible, program_of
from counterfoil.linkage.core.layout import NO_INPUT, Input, Kind, Program, RuleKeys, Weights
from counterfoil.linkage.core.sql import bare, columns_of, one_sided, parse

MOST = 16  # levels of a comparison, and comparisons: a pair's levels are packed in 64 bits
_LEAST = 1e-300  # Splink takes no probability as less
_NOT_SEEN = "level not observed in training dataset"
_DEFAULT_PRIOR = 0.0001
_LINK_TYPES = ("dedupe_only", "link_only", "link_and_dedupe")
_EXACT_SHARE = 0.95  # what Splink gives the best level of an untrained comparison
_WEIGHTS = (-5.0, 3.0, 10.0)  # bits: the worst level, the one before the best, the best

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Level:
    """One level. `m` and `u` are what counts, Splink's default where nothing was learnt; None at the null level."""

    label: str
    sql: str
    is_null: bool
    m: float | None
    u: float | None
    tf_column: str | None = None
    tf_weight: float = 1.0
    tf_minimum_u: float = 0.0
    tf_own_u: bool = False

    @property
    def is_else(self) -> bool:
        """Whether it takes what the others left."""
        return self.sql.strip().upper() == "ELSE"

    @property
    def adjusts(self) -> bool:
        """Whether term frequency changes its weight."""
        return self.tf_column is not None and not self.is_null and not self.is_else


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison: its levels in the order in which they are tried."""

    name: str
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class CoreModel:
    """A Splink model, ready to run. `untrained`: (comparison, label of the level, "m" or "u")."""

    link_type: str
    unique_id_column: str
    source_dataset_column: str
    comparisons: tuple[Comparison, ...]
    inputs: tuple[tuple[Input, ...], ...]
    rules: tuple[RuleKeys, ...]
    program: Program
    weights: Weights
    untrained: tuple[tuple[str, str, str], ...]
    frequency_columns: tuple[str, ...]


def read_model(settings: Json) -> CoreModel:
    """The model of Splink's settings.

    UsageError when they are no Splink model or a wrong one; NotExpressible when Splink has to run it.
    """
    listed = settings.get("comparisons")
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
        raise UsageError(
            "The file holds no Splink model: found no `comparisons`, expected the JSON that Splink 4 or 5 saves. "
            "Save the model with Splink's save_model_to_json and give that file."
        )
    untrained: list[tuple[str, str, str]] = []
    prior, link_type = _prior(settings), _link_type(settings)
    comparisons = tuple(_comparison(each, number, untrained) for number, each in enumerate(listed, 1))
    _only_duckdb(settings)
    _few_enough(comparisons)
    compiled = [
        Compiler(each.name).compile(
            [Condition(None if level.is_else else level.sql, level.is_null) for level in each.levels],
            _frequencies(each),
        )
        for each in comparisons
    ]
    return CoreModel(
        link_type=link_type,
        unique_id_column=_unquoted(str(settings.get("unique_id_column_name") or "unique_id")),
        source_dataset_column=_unquoted(str(settings.get("source_dataset_column_name") or "source_dataset")),
        comparisons=comparisons,
        inputs=tuple(tuple(each.inputs) for each in compiled),
        rules=tuple(rule_keys(_rule_sql(each)) for each in settings.get("blocking_rules_to_generate_predictions", ())),
        program=program_of(compiled),
        weights=_weights(prior, comparisons, [each.inputs for each in compiled]),
        untrained=tuple(untrained),
        frequency_columns=tuple(dict.fromkeys(name for each in comparisons for name in _frequencies(each))),
    )


def _only_duckdb(settings: Json) -> None:
    dialect = settings.get("sql_dialect") or "duckdb"
    if dialect != "duckdb":
        raise NotExpressible("the model", f"conditions in the SQL of {dialect}")


def _few_enough(comparisons: Sequence[Comparison]) -> None:
    if len(comparisons) > MOST:
        raise NotExpressible("the model", f"more than {MOST} comparisons")
    for each in comparisons:
        if len(each.levels) > MOST:
            raise NotExpressible(each.name, f"more than {MOST} levels")
        if not each.levels[-1].is_else:
            raise NotExpressible(each.name, "no ELSE at the end, so that some pairs are of no level")
        if sum(level.is_null for level in each.levels) > 1:
            raise NotExpressible(each.name, "several null levels")


def _prior(settings: Json) -> float:
    found = settings.get("probability_two_random_records_match", _DEFAULT_PRIOR)
    if not isinstance(found, int | float) or not 0 < found < 1:
        raise UsageError(
            "The model's `probability_two_random_records_match` is wrong: expected a number between 0 and 1, "
            "neither of them. Train the model again, or set it."
        )
    return float(found)


def _link_type(settings: Json) -> str:
    found = settings.get("link_type")
    if found not in _LINK_TYPES:
        raise UsageError(
            f"The model's `link_type` is none of Splink's: expected one of {', '.join(_LINK_TYPES)}. "
            "Save the model with Splink's save_model_to_json and give that file."
        )
    return str(found)


# --- comparisons


def _comparison(given: object, number: int, untrained: list[tuple[str, str, str]]) -> Comparison:
    if not isinstance(given, Mapping):
        raise UsageError(
            f"comparison {number} of the model is none: expected `comparison_levels`. Save the model again."
        )
    name = str(given.get("output_column_name") or given.get("comparison_description") or f"comparison {number}")
    listed = given.get("comparison_levels")
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
        raise UsageError(
            f"The comparison {name} has no levels: expected `comparison_levels` with at least two. "
            "Save the model again with Splink, or correct the file."
        )
    if not all(isinstance(each, Mapping) for each in listed):
        raise UsageError(f"A level of the comparison {name} is none: expected `sql_condition`. Save the model again.")
    count = sum(not each.get("is_null_level", False) for each in listed)
    if count < 2:
        raise UsageError(
            f"The comparison {name} tells no pairs apart: expected at least two levels beside the null level. "
            "Add one, such as ELSE."
        )
    levels, rank = [], count
    for each in listed:
        rank -= 0 if each.get("is_null_level", False) else 1
        levels.append(_level(name, each, rank, count, untrained))
    if any(level.is_else for level in levels[:-1]):
        raise UsageError(f"The comparison {name} has levels after its ELSE: expected ELSE last. Put it there.")
    return Comparison(name, tuple(levels))


def _level(name: str, given: Json, rank: int, count: int, untrained: list[tuple[str, str, str]]) -> Level:
    sql = given.get("sql_condition")
    if not isinstance(sql, str):
        raise UsageError(
            f"A level of the comparison {name} has no `sql_condition`: expected SQL. Save the model again with Splink."
        )
    label = str(given.get("label_for_charts") or sql)
    if given.get("is_null_level", False):
        return Level(label, sql, True, None, None)
    default = default_probabilities(rank, count)
    found = [given.get(f"{letter}_probability") for letter in "mu"]
    untrained += [(name, label, "mu"[i]) for i in range(2) if found[i] is None or found[i] == _NOT_SEEN]
    column, weight = given.get("tf_adjustment_column"), given.get("tf_adjustment_weight")
    return Level(
        label,
        sql,
        False,
        m=_probability(name, label, "m", found[0], default[0]),
        u=_probability(name, label, "u", found[1], default[1]),
        tf_column=_unquoted(column) if isinstance(column, str) else None,
        tf_weight=_adjusting(name, label, weight or 1.0, math.inf),  # Splink reads 0 as not given, too
        tf_minimum_u=_adjusting(name, label, given.get("tf_minimum_u_value") or 0.0, 1.0),
        tf_own_u=bool(given.get("disable_tf_exact_match_detection", False)),
    )


def _probability(name: str, label: str, letter: str, found: object, otherwise: float) -> float:
    if found is None or found == _NOT_SEEN:
        return otherwise
    if not isinstance(found, int | float) or isinstance(found, bool) or not 0 <= found <= 1:
        raise UsageError(
            f"The comparison {name} has a wrong {letter} probability at the level `{label}`: expected a number from 0 "
            "to 1. Train the model again, or correct the file."
        )
    return float(found)


def _adjusting(name: str, label: str, found: object, most: float) -> float:
    if isinstance(found, int | float) and found < 0 and math.isinf(most):
        raise NotExpressible(name, "a term frequency adjustment of negative weight")
    if not isinstance(found, int | float) or isinstance(found, bool) or not 0 <= found <= most or math.isinf(found):
        raise UsageError(
            f"The comparison {name} adjusts for term frequency with a wrong number at the level `{label}`: expected "
            "`tf_adjustment_weight` of 0 or more and `tf_minimum_u_value` from 0 to 1. Correct the file."
        )
    return float(found)


def default_probabilities(rank: int, count: int) -> tuple[float, float]:
    """(m, u) that Splink gives an untrained level; `rank` 0 is the last of `count` levels."""
    best = rank == count - 1
    m = _EXACT_SHARE if best else (1 - _EXACT_SHARE) / (count - 1)
    worst, before_best, top = _WEIGHTS
    step = (before_best - worst) / (count - 2) if count > 2 else 0.0
    weight = top if best else worst + rank * step
    return m, float(m / 2**weight)


def _frequencies(comparison: Comparison) -> tuple[str, ...]:
    columns = (level.tf_column for level in comparison.levels if level.adjusts)
    return tuple(dict.fromkeys(column for column in columns if column is not None))


def _unquoted(name: str) -> str:
    found = re.fullmatch(r'"(.*)"', name.strip())
    return found[1].replace('""', '"') if found else name.strip()


# --- weights


def _weights(prior: float, comparisons: Sequence[Comparison], inputs: Sequence[Sequence[Input]]) -> Weights:
    shape = (len(comparisons), max(len(each.levels) for each in comparisons))
    weights = Weights(
        prior=math.log2(prior / (1 - prior)),
        base=np.zeros(shape),
        tf_input=np.full(shape, NO_INPUT, np.int64),
        tf_weight=np.zeros(shape),
        tf_log_u=np.zeros(shape),
        tf_floor=np.full(shape, -np.inf),
    )
    for c, comparison in enumerate(comparisons):
        columns = [item.columns[0] if item.kind is Kind.FREQUENCY else None for item in inputs[c]]
        for k, level in enumerate(comparison.levels):
            if level.m is not None and level.u is not None:
                weights.base[c, k] = math.log2(max(level.m, _LEAST) / max(level.u, _LEAST))
            if level.adjusts:
                weights.tf_input[c, k] = columns.index(level.tf_column)
                weights.tf_weight[c, k] = level.tf_weight
                weights.tf_log_u[c, k] = math.log2(max(_exact_u(comparison, level), _LEAST))
                if level.tf_minimum_u > 0:
                    weights.tf_floor[c, k] = math.log2(level.tf_minimum_u)
    return weights


def _exact_u(comparison: Comparison, level: Level) -> float:
    """u of the level that the adjustment is measured from: equality of the column."""
    wanted = (level.tf_column or "").lower()
    for each in [level] if level.tf_own_u else comparison.levels:
        if each.u is not None and (level.tf_own_u or exact_column(each.sql) == wanted):
            return each.u
    raise UsageError(
        f"The comparison {comparison.name} adjusts for the frequency of {level.tf_column} without a level of equal "
        "values of it: expected one. Add it, or set `disable_tf_exact_match_detection`."
    )


def exact_column(sql: str) -> str | None:
    """The column whose equality is all that a condition asks, in lower case."""
    if sql.strip().upper() == "ELSE":
        return None
    node = bare(parse(sql.lower(), "the model"))
    if not isinstance(node, exp.EQ):
        return None
    one, other = bare(node.this), bare(node.expression)
    if not isinstance(one, exp.Column) or not isinstance(other, exp.Column):
        return None
    return one.name[:-2] if one.name[:-2] == other.name[:-2] and one.name != other.name else None


# --- blocking rules


def _rule_sql(given: object) -> str:
    if isinstance(given, str):
        return given
    if not isinstance(given, Mapping) or not isinstance(given.get("blocking_rule"), str):
        raise UsageError(
            "A blocking rule of the model holds no SQL: expected a text, or `blocking_rule`. "
            "Save the model again with Splink."
        )
    sql = str(given["blocking_rule"])
    if given.get("arrays_to_explode"):
        raise NotExpressible(sql, "a blocking rule over the elements of lists")
    return sql


def rule_keys(sql: str) -> RuleKeys:
    """The keys of a blocking rule: equalities of an expression of l and one of r."""
    node = bare(parse(sql, sql))
    parts = [bare(part) for part in node.flatten()] if isinstance(node, exp.And) else [node]
    pairs = [_key(part, sql) for part in _flat(parts)]
    return RuleKeys(sql, tuple(left for left, _ in pairs), tuple(right for _, right in pairs))


def _flat(parts: Sequence[exp.Expr]) -> list[exp.Expr]:
    found: list[exp.Expr] = []
    for part in parts:
        found += _flat([bare(each) for each in part.flatten()]) if isinstance(part, exp.And) else [part]
    return found


def _key(node: exp.Expr, sql: str) -> tuple[str, str]:
    if isinstance(node, exp.EQ):
        one, other = bare(node.this), bare(node.expression)
        sides = _table(one), _table(other)
        if sides == ("l", "r"):
            return _of_one_side(one), _of_one_side(other)
        if sides == ("r", "l"):
            return _of_one_side(other), _of_one_side(one)
    raise NotExpressible(sql, "a blocking rule that is more than equalities of one record's values with the other's")


def _table(node: exp.Expr) -> str:
    tables = {column.table.lower() for column in columns_of(node)}
    return tables.pop() if len(tables) == 1 else ""


def _of_one_side(node: exp.Expr) -> str:
    return one_sided(node, {id(column): column.name for column in columns_of(node)})[0]


__all__ = ["Comparison", "CoreModel", "Level", "NotExpressible", "read_model"]
