"""Finished runs of a lab for tests of pooling: protected results of made-up counts, and who was in each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from counterfoil.cohort.values import Attrition
from counterfoil.disclosure import Protected, ProtectedRefusal
from counterfoil.lab.files import atomic_write
from counterfoil.lab.keys import Role, encrypt
from counterfoil.lab.make import OpenLab
from counterfoil.study.handover import HANDOVER, pack
from counterfoil.study.inputs import Facts, Inputs
from counterfoil.study.plan import parse_plan
from counterfoil.study.printing import publish_inside


def add_run(
    lab: OpenLab,
    name: str,
    result: Protected | ProtectedRefusal,
    *,
    people: Sequence[str],
    years: tuple[int, int] = (2016, 2016),
    title: str = "Bridge to work",
    languages: tuple[str, ...] = ("en",),
    **plan: Any,
) -> None:
    """Put a finished run into the lab, as `evaluate` leaves it: report, result, manifest, sealed handover."""
    cohort = {"first_year": years[0], "last_year": years[1]}
    written = parse_plan({"title": title, "provider": "The Bridge Trust", "cohort": cohort, **plan}, "the plan")
    inputs = Inputs(
        run=name,
        plan=written,
        people=pa.table({}),
        covariates=("age",),
        attrition=Attrition(people={}),
        measures=(),
        folder=lab.paths.run(name),
        inputs={},
        languages=languages,
        facts=Facts(today=lab.settings.date(), lab=lab.settings.name),
    )
    publish_inside(inputs, result)
    study = pa.table({"register_key": pa.array(list(people), pa.string())})
    atomic_write(Path(inputs.folder) / HANDOVER, encrypt(lab.paths, pack(study, {}), to=Role.ANALYST))
