"""Why a pair of records weighs what it weighs: each comparison's level, its weight, and how common the value is.

Worked out from the model's own conditions on DuckDB, for the pairs asked about and no others. So nothing has to be kept
with a spine for it, and it is a check on whichever engine scored: the total is the pair's match weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import log2
from typing import Any

import pyarrow as pa

from counterfoil.errors import Fault
from counterfoil.linkage.model import Model, frequency_columns
from counterfoil.linkage.prepare import ID
from counterfoil.warehouse import query

_LEAST_PROBABILITY = 1e-300  # Splink's own floor of m and u before the logarithm
_ELSE = "ELSE"


@dataclass(frozen=True, slots=True)
class Step:
    """One comparison of a pair. Bits: `weight` of the level, `frequency` added for how common the value is, `total` so
    far, prior included. `is_missing`: one side has no value, so it counts for nothing."""

    comparison: str
    level: str
    weight: float
    frequency: float
    total: float
    is_missing: bool


@dataclass(frozen=True, slots=True)
class Waterfall:
    """From the prior (bits) through every comparison to the match weight."""

    prior: float
    steps: tuple[Step, ...]

    @property
    def match_weight(self) -> float:
        """Total in bits, prior included."""
        return self.steps[-1].total if self.steps else self.prior


def explain(pairs: Sequence[tuple[int, int]], records: pa.Table, model: Model) -> tuple[Waterfall, ...]:
    """The waterfall of each pair of record numbers, in the order given. `records` are prepared ones."""
    if not pairs:
        return ()
    comparisons = model.settings["comparisons"]
    rows = query(_sql(comparisons, records.column_names, model), _tables(pairs, records, model)).to_pylist()
    if len(rows) != len(pairs):
        raise Fault("A pair to explain names a record that the spine does not hold. Run `counterfoil link` again.")
    prior = log2(model.prior / (1 - model.prior))
    return tuple(_waterfall(row, comparisons, prior) for row in rows)


def _tables(pairs: Sequence[tuple[int, int]], records: pa.Table, model: Model) -> dict[str, pa.Table]:
    left, right = zip(*pairs, strict=True)
    wanted = pa.table({"row": range(len(pairs)), "l": pa.array(left, pa.int64()), "r": pa.array(right, pa.int64())})
    numbers = pa.table({ID: pa.array(sorted({*left, *right}), pa.int64())})
    chosen = query(f"SELECT t.* FROM t SEMI JOIN n USING ({ID}) ORDER BY {ID}", {"t": records, "n": numbers})
    return {"pairs": wanted, "records": chosen} | {f"tf_{c}_values": t for c, t in model.frequencies.items()}


def _sql(comparisons: Sequence[Mapping[str, Any]], columns: Sequence[str], model: Model) -> str:
    """One row a pair: level_0, frequency_0, level_1 ... in the model's own words."""
    sides = ", ".join(f"{side}.{column} AS {column}_{side}" for side in "lr" for column in columns)
    common = frequency_columns(model.settings)
    values = "".join(f", tf_{side}_{c}.tf_{c} AS tf_{c}_{side}" for side in "lr" for c in common)
    joins = " ".join(
        f"LEFT JOIN tf_{c}_values tf_{side}_{c} ON {side}.{c} = tf_{side}_{c}.{c}" for side in "lr" for c in common
    )
    levels = ", ".join(f"{_level_case(each)} AS level_{at}" for at, each in enumerate(comparisons))
    adjusted = ", ".join(f"{_frequency_case(each, at)} AS frequency_{at}" for at, each in enumerate(comparisons))
    reached = ", ".join(f"level_{at}" for at in range(len(comparisons)))
    return f"""
        WITH compared AS (
            SELECT row, {sides}{values}
            FROM pairs p JOIN records l ON p.l = l.{ID} JOIN records r ON p.r = r.{ID} {joins}),
        levelled AS (SELECT *, {levels} FROM compared)
        SELECT row, {reached}, {adjusted} FROM levelled ORDER BY row"""


def _level_case(comparison: Mapping[str, Any]) -> str:
    levels = comparison["comparison_levels"]
    whens = [
        f"WHEN {level['sql_condition']} THEN {number}"
        for number, level in enumerate(levels)
        if level["sql_condition"].strip().upper() != _ELSE
    ]
    last = next((n for n, level in enumerate(levels) if level["sql_condition"].strip().upper() == _ELSE), "NULL")
    return f"CASE {' '.join(whens)} ELSE {last} END"


def _frequency_case(comparison: Mapping[str, Any], place: int) -> str:
    """Bits that each level of a comparison gains or loses by how common the value is, 0 where it has no such part."""
    whens = [
        f"WHEN {number} THEN {_frequency(level, comparison)}"
        for number, level in enumerate(comparison["comparison_levels"])
        if _is_adjusted(level)
    ]
    return f"CASE level_{place} {' '.join(whens)} ELSE 0.0 END" if whens else "0.0"


def _is_adjusted(level: Mapping[str, Any]) -> bool:
    is_else = level["sql_condition"].strip().upper() == _ELSE
    weighed = level.get("tf_adjustment_weight", 1.0) != 0
    return bool(level.get("tf_adjustment_column")) and weighed and not is_else and not level.get("is_null_level", False)


def _frequency(level: Mapping[str, Any], comparison: Mapping[str, Any]) -> str:
    column, weight = level["tf_adjustment_column"], float(level.get("tf_adjustment_weight", 1.0))
    floor = float(level.get("tf_minimum_u_value", 0.0))
    base = log2(_clamped(_exact_u(level, comparison)))
    left, right = f"tf_{column}_l", f"tf_{column}_r"
    commoner = f"greatest(coalesce({left}, {right}), coalesce({right}, {left}), {floor!r}::DOUBLE)"
    return f"coalesce({weight!r}::DOUBLE * ({base!r}::DOUBLE - log2(nullif({commoner}, 0))), 0.0)"


def _exact_u(level: Mapping[str, Any], comparison: Mapping[str, Any]) -> float:
    """u of the level at which the adjusted column is equal: what a common value is measured against."""
    if level.get("disable_tf_exact_match_detection", False):
        return float(level["u_probability"])
    column = level["tf_adjustment_column"].lower()
    equal = {f"{column}_l={column}_r", f"{column}_r={column}_l"}
    for other in comparison["comparison_levels"]:
        condition = other["sql_condition"].lower()
        if "".join(character for character in condition if character not in '() "') in equal:
            return float(other["u_probability"])
    raise Fault(
        f"The model weighs how common values of {column} are at a level, and has no level at which they are equal. "
        "Mend the model's settings, then run `counterfoil link` again."
    )


def _waterfall(row: Mapping[str, Any], comparisons: Sequence[Mapping[str, Any]], prior: float) -> Waterfall:
    found = [_found(row[f"level_{at}"], each) for at, each in enumerate(comparisons)]
    weights = [_weight(level) for level in found]
    common = [float(row[f"frequency_{at}"]) for at in range(len(comparisons))]
    totals = list(accumulate((w + f for w, f in zip(weights, common, strict=True)), initial=prior))[1:]
    steps = [
        Step(_name(each), level["label_for_charts"], weight, frequency, total, bool(level.get("is_null_level", False)))
        for each, level, weight, frequency, total in zip(comparisons, found, weights, common, totals, strict=True)
    ]
    return Waterfall(prior, tuple(steps))


def _found(number: int | None, comparison: Mapping[str, Any]) -> Mapping[str, Any]:
    if number is None:
        raise Fault(
            f"A pair reaches no level of the comparison {_name(comparison)!r}, which has no ELSE. Mend the model's "
            "settings, then run `counterfoil link` again."
        )
    level: Mapping[str, Any] = comparison["comparison_levels"][number]
    return level


def _weight(level: Mapping[str, Any]) -> float:
    if level.get("is_null_level", False):
        return 0.0
    return log2(_clamped(float(level["m_probability"])) / _clamped(float(level["u_probability"])))


def _clamped(probability: float) -> float:
    return max(probability, _LEAST_PROBABILITY)


def _name(comparison: Mapping[str, Any]) -> str:
    return str(comparison["output_column_name"]).replace("_", " ")
