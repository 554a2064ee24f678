"""The design on disk: who is compared with whom, with which weight, and its hash, before outcomes are opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil import __version__
from counterfoil.comparison.values import Comparison, Pairs
from counterfoil.lab.files import write_json
from counterfoil.study.inputs import Inputs
from counterfoil.study.link_draws import LinkDesigns, freeze_draws
from counterfoil.study.specifications import Specification
from counterfoil.study.sub_analyses import SubDesign
from counterfoil.study.way_designs import Designed
from counterfoil.warehouse import write_table

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def freeze(
    inputs: Inputs,
    comparison: Comparison,
    designs: Sequence[SubDesign] = (),
    specifications: Sequence[Specification] = (),
    ways: Sequence[Designed] = (),
    links: LinkDesigns | None = None,
) -> str:
    """Write the design and its hash. After this nothing about who is compared can change unseen."""
    rows = len(comparison.treated)
    table = pa.table(
        {
            "treated": comparison.treated,
            "weight": comparison.weight,
            "logit_propensity": _padded(comparison.logit_propensity, rows),
            "pair": comparison.pair if len(comparison.pair) == rows else np.full(rows, -1),
            "stratum": comparison.stratum if len(comparison.stratum) == rows else np.full(rows, -1),
        }
    )
    design = write_table(table, inputs.folder / "design.parquet").sha256
    frozen = {"design": design, "plan": inputs.plan.sha256(), "version": __version__, **_chosen(comparison)}
    frozen["specifications"] = [one.facts() for one in specifications]
    if comparison.pairs is not None:  # errors rest on who was matched with whom
        frozen["pairs"] = write_table(_pairs_table(comparison.pairs), inputs.folder / "pairs.parquet").sha256
    if designs:
        frozen["sub_analyses"] = [
            _frozen(inputs.folder / f"sub_analysis_{n}.parquet", d.part.plan.name, d.part.rows, d.comparison, d.rule)
            for n, d in enumerate(designs, 1)
        ]
    if ways:
        frozen["ways"] = [
            _frozen(
                inputs.folder / f"way_{each.way.name}.parquet",
                each.way.name,
                each.way.rows,
                each.comparison,
                each.rule,
            )
            for each in ways
        ]
    if links is not None:
        frozen["links"] = freeze_draws(links, inputs.folder, seed=inputs.plan.seed)
    write_json(inputs.folder / "frozen.json", frozen)
    return design


def _frozen(path: Path, name: str, rows: BoolArray, made: Comparison | None, rule: str) -> dict[str, str]:
    """A comparison beside the headline's: its design's hash, or the rule that stopped it."""
    if made is None or rule:
        return {"name": name, "rule": rule}
    table = pa.table({"row": np.flatnonzero(rows), "treated": made.treated, "weight": made.weight})
    return {"name": name, "design": write_table(table, path).sha256}


def _pairs_table(pairs: Pairs) -> pa.Table:
    """One row a pair; people by their row in the design."""
    return pa.table({field.name: getattr(pairs, field.name) for field in fields(pairs)})


def _chosen(comparison: Comparison) -> dict[str, Any]:
    """What the design settled on, every rung of the caliper ladder included. Inside the lab only."""
    steps = [
        {"caliper_sd": s.caliper_sd, "kept_share": s.kept_share, "worst_smd": s.worst_smd, "ess": s.ess}
        for s in comparison.steps
        if np.isfinite(s.worst_smd)  # a rung that matched nobody has none
    ]
    method = None if comparison.method is None else comparison.method.value
    return {"method": method, "caliper_sd": comparison.caliper_sd, "ridge": comparison.ridge, "steps": steps}


def _padded(values: FloatArray, rows: int) -> FloatArray:
    return values if len(values) == rows else np.full(rows, np.nan)
