"""The trained model: Splink's own JSON, read and written, with no parameter left to a silent default.

Splink gives a level that it never saw in training a made-up weight. Here such a level gets a bound from how much was
looked at, and the bound is said (docs/decisions/0009).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from importlib.metadata import version
from math import log2
from pathlib import Path
from typing import Any

import pyarrow as pa

from counterfoil.errors import Fault
from counterfoil.lab.files import write_json
from counterfoil.linkage.frequencies import Frequencies
from counterfoil.linkage.specification import Comparison, Level, Specification
from counterfoil.provenance import key_of
from counterfoil.warehouse import query, read_table, write_table

EM_CONVERGENCE = 1e-4
EM_ITERATIONS = 50
LEAST_RATIO = 1e-4  # of m to u: no single disagreement counts for more than 13.3 bits, however rare in training
SIGNIFICANT_DIGITS = 12  # of m, u and prior: sums over threads differ after that, and must not decide a link
UID = "counterfoil"  # Splink would draw one at random


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model: a Splink settings dictionary (its model JSON), and how common values were at training."""

    settings: Mapping[str, Any]
    frequencies: Frequencies

    @property
    def prior(self) -> float:
        """Probability that two records drawn at random are one person."""
        return float(self.settings["probability_two_random_records_match"])

    @property
    def key(self) -> str:
        """Changes when any parameter does."""
        return key_of(model=self.settings)


@dataclass(frozen=True, slots=True)
class Bound:
    """A parameter that training never saw, and the value that was set for it."""

    comparison: str
    level: str
    parameter: str  # "m" or "u"
    value: float


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model and how its training went. `sessions`: block, iterations, whether it converged.

    `notes`: what the training depended on (seed, versions, which records), the prior at other recalls, warnings.
    """

    model: Model
    bounds: tuple[Bound, ...]
    sessions: tuple[Mapping[str, Any], ...]
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resources:
    """What one run of an engine may use. `memory` as "8GB"; beyond it spills to disk."""

    threads: int
    memory: str


def training_notes(prepared: pa.Table, specification: Specification, **more: Any) -> dict[str, Any]:
    """What a training depended on, so that one that gives other parameters can be told from one on other records."""
    whole = query("SELECT coalesce(bit_xor(hash(prepared)), 0) AS all_rows FROM prepared", {"prepared": prepared})
    return {
        "seed": specification.training.seed,
        "records": prepared.num_rows,
        "records_hash": f"{whole['all_rows'][0].as_py():016x}",  # DuckDB's, whatever the order of rows
        "versions": {name: version(name) for name in ("duckdb", "numba", "numpy", "pyarrow", "splink")},
        "warnings": list(fuzzy_frequencies(specification)),
        **more,
    }


def column_name(comparison: str) -> str:
    """The name of a comparison as Splink's output column."""
    return comparison.lower().replace(" ", "_")


def splink_settings(specification: Specification) -> dict[str, Any]:
    """The untrained model as a Splink settings dictionary.

    All sources lie in one table with whole-number ids: `dedupe_only` over it compares the same pairs as
    `link_and_dedupe` over the sources, and joins on integers.
    """
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "comparisons": [_comparison(comparison) for comparison in specification.comparisons],
        "blocking_rules_to_generate_predictions": [rule.sql for rule in specification.rules],
        "em_convergence": EM_CONVERGENCE,
        "max_iterations": EM_ITERATIONS,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "linker_uid": UID,
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "output_column_name": column_name(comparison.name),
        "comparison_description": comparison.name,
        "comparison_levels": [_level(level) for level in comparison.levels],
    }


def _level(level: Level) -> dict[str, Any]:
    settings: dict[str, Any] = {"sql_condition": " ".join(level.sql.split()), "label_for_charts": level.label}
    if level.null:
        settings["is_null_level"] = True
    if level.tf:
        settings |= {"tf_adjustment_column": level.tf, "tf_adjustment_weight": 1.0}
    if level.u is not None:
        settings |= {"u_probability": level.u, "fix_u_probability": True}
    if level.m is not None:
        settings |= {"m_probability": level.m, "fix_m_probability": True}
    return settings


def bounded(
    settings: Mapping[str, Any], *, random_pairs: int, told_pairs: Mapping[str, int] | None = None
) -> tuple[dict[str, Any], tuple[Bound, ...]]:
    """The settings with an m and a u for every level, rounded, and which of them are bounds.

    u of a level never seen among `random_pairs` pairs of different people is set to 1 / `random_pairs`: were it more,
    it would probably have been seen. `told_pairs` says of how many a comparison could tell, by its name: a pair in
    which it is missing could not have shown the level. m of a level never seen is set to u or to `LEAST_RATIO`,
    whichever is less: it counts against a link, or for nothing, and never for one. No m is less than `LEAST_RATIO`
    times u.
    """
    done = deepcopy(dict(settings))
    bounds: list[Bound] = []
    for comparison in done["comparisons"]:
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level", False):
                name = comparison["output_column_name"]
                bounds += _bound(level, name, (told_pairs or {}).get(name, random_pairs))
    done["probability_two_random_records_match"] = _rounded(done["probability_two_random_records_match"])
    done["linker_uid"] = UID
    return done, tuple(bounds)


def _bound(level: dict[str, Any], comparison: str, random_pairs: int) -> list[Bound]:
    given = {"m": level.get("m_probability"), "u": level.get("u_probability")}
    u = 1 / random_pairs if given["u"] is None else float(given["u"])
    m = min(u, LEAST_RATIO) if given["m"] is None else max(float(given["m"]), u * LEAST_RATIO)
    level["m_probability"], level["u_probability"] = _rounded(m), _rounded(u)
    label = level["label_for_charts"]
    return [
        Bound(comparison, label, parameter, level[f"{parameter}_probability"])
        for parameter, value in given.items()
        if value is None
    ]


def with_hand_weights(settings: Mapping[str, Any], specification: Specification) -> dict[str, Any]:
    """The trained settings with the weights that the specification sets by hand: m is u times 2 to the weight.

    Were that more than 1, m is 1 and u is what gives the weight. Both are marked as fixed, which reports show.
    """
    done = deepcopy(dict(settings))
    for comparison, told in zip(specification.comparisons, done["comparisons"], strict=True):
        for level, found in zip(comparison.levels, told["comparison_levels"], strict=True):
            if level.weight is not None:
                u = min(found["u_probability"], 2.0**-level.weight)
                found |= {"u_probability": _rounded(u), "m_probability": _rounded(min(1.0, u * 2.0**level.weight))}
                found |= {"fix_u_probability": True, "fix_m_probability": True}
    return done


def fuzzy_frequencies(specification: Specification) -> tuple[str, ...]:
    """Warnings of levels that weigh by how common a value is without both records having that value.

    A rare misspelling then looks like evidence (METHODS 1).
    """
    return tuple(
        f"{comparison.name}: {level.label!r} weighs by how common {level.tf} is, though the two need not be equal"
        for comparison in specification.comparisons
        for level in comparison.levels
        if level.tf and not _wants_equal(level.sql, level.tf)
    )


def _wants_equal(sql: str, column: str) -> bool:
    return any(part.strip() == f"{column}_l = {column}_r" for part in " ".join(sql.split()).split(" AND "))


def _rounded(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def weights(model: Model) -> list[dict[str, Any]]:
    """Each level's weight in bits, before term frequencies: for the quality page."""
    return [
        {
            "comparison": comparison["output_column_name"],
            "level": level["label_for_charts"],
            "weight": round(log2(level["m_probability"] / level["u_probability"]), 3),
        }
        for comparison in model.settings["comparisons"]
        for level in comparison["comparison_levels"]
        if not level.get("is_null_level", False)
    ]


def save_model(model: Model, folder: Path) -> None:
    """Write model.json, which is Splink's own, and frequencies/COLUMN.parquet beside it."""
    write_json(folder / "model.json", dict(model.settings))
    for column, table in model.frequencies.items():
        write_table(table, folder / "frequencies" / f"{column}.parquet")


def load_model(folder: Path) -> Model:
    """Read what `save_model` wrote."""
    try:
        settings = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise Fault("The model of the lab's people is missing or damaged. Run `counterfoil link` again.") from error
    columns = frequency_columns(settings)
    return Model(settings, {column: read_table(folder / "frequencies" / f"{column}.parquet") for column in columns})


def frequency_columns(settings: Mapping[str, Any]) -> Sequence[str]:
    """Columns whose value frequencies adjust weights, each once."""
    levels = [level for comparison in settings["comparisons"] for level in comparison["comparison_levels"]]
    found = [level["tf_adjustment_column"] for level in levels if level.get("tf_adjustment_column")]
    return list(dict.fromkeys(found))
