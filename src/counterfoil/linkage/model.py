"""The trained model: Splink's own JSON, read and written, with no parameter left to a silent default.

Splink gives a level that it never saw in training a made-up weight. Here such a level gets a bound from how much was
looked at, and the bound is said (LINKAGE 8).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from math import log2
from pathlib import Path
from typing import Any

from counterfoil.errors import Fault
from counterfoil.lab.files import write_json
from counterfoil.linkage.specification import Comparison, Level, Specification
from counterfoil.provenance import key_of

EM_CONVERGENCE = 1e-4
EM_ITERATIONS = 50
M_BOUND = 1e-4  # a level that no true pair of the training showed is taken to happen once in ten thousand
SIGNIFICANT_DIGITS = 12  # of m, u and prior: sums over threads differ after that, and must not decide a link
UID = "counterfoil"  # Splink would draw one at random


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model. `settings` is a Splink settings dictionary (its model JSON)."""

    settings: Mapping[str, Any]

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
    return settings


def bounded(settings: Mapping[str, Any], *, random_pairs: int) -> tuple[Model, tuple[Bound, ...]]:
    """Give every level an m and a u, and round them.

    u of a level never seen among `random_pairs` pairs of different people is set to 1 / `random_pairs`: were it more,
    it would probably have been seen. m of a level never seen is `M_BOUND`; no m is less. A level of which neither was
    seen weighs nothing.
    """
    done = deepcopy(dict(settings))
    bounds: list[Bound] = []
    for comparison in done["comparisons"]:
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level", False):
                bounds += _bound(level, comparison["output_column_name"], random_pairs)
    done["probability_two_random_records_match"] = _rounded(done["probability_two_random_records_match"])
    done["linker_uid"] = UID
    return Model(done), tuple(bounds)


def _bound(level: dict[str, Any], comparison: str, random_pairs: int) -> list[Bound]:
    given = {"m": level.get("m_probability"), "u": level.get("u_probability")}
    u = 1 / random_pairs if given["u"] is None else float(given["u"])
    m = (u if given["u"] is None else M_BOUND) if given["m"] is None else max(float(given["m"]), M_BOUND)
    level["m_probability"], level["u_probability"] = _rounded(m), _rounded(max(u, 1e-300))
    label = level["label_for_charts"]
    return [
        Bound(comparison, label, parameter, level[f"{parameter}_probability"])
        for parameter, value in given.items()
        if value is None
    ]


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


def save_model(model: Model, path: Path) -> None:
    """Write Splink's model JSON."""
    write_json(path, dict(model.settings))


def load_model(path: Path) -> Model:
    """Read a model that `link`, or Splink, has written."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise Fault(
            f"The model {path.name} of this spine is missing or damaged. Run `counterfoil link` again."
        ) from error
    return Model(settings)


def frequency_columns(model: Model) -> Sequence[str]:
    """Columns whose value frequencies adjust weights, each once."""
    levels = [level for comparison in model.settings["comparisons"] for level in comparison["comparison_levels"]]
    found = [level["tf_adjustment_column"] for level in levels if level.get("tf_adjustment_column")]
    return list(dict.fromkeys(found))
