"""A request that is refused from the description of its service, before anyone is linked. It still gets a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from counterfoil.cohort.values import Attrition
from counterfoil.disclosure import refuse
from counterfoil.errors import Refused
from counterfoil.lab.make import OpenLab
from counterfoil.report.about import ProviderWords
from counterfoil.study.inputs import Facts, Inputs
from counterfoil.study.plan import Plan
from counterfoil.study.printing import publish_inside


def refused_before_linking(
    lab: OpenLab,
    plan: Plan,
    run: str,
    refusal: Refused,
    inside: Mapping[str, str],
    *,
    pdf: bool = False,
    words: ProviderWords | None = None,
) -> dict[str, Any]:
    """Write the refusal's report and give its JSON. `inside`: what was asked of, for the manifest."""
    inputs = Inputs(
        run=run,
        plan=plan,
        people=pa.table({}),
        covariates=(),
        attrition=Attrition(people={}),
        measures=(),
        folder=lab.paths.run(run),
        inputs={},
        facts=Facts(today=lab.settings.date(), lab=lab.settings.name),
        inside=inside,
        pdf=pdf,
        languages=lab.settings.languages,
        words=words or ProviderWords(),
    )
    return publish_inside(inputs, refuse(refusal))
