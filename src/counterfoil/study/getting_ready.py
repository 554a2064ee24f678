"""What the analyst does while the list is still being linked: needs the plan and the register, and no list.

Opens what selection may open, and no outcome. Compiled code is read and run once, on a drawn table.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import counterfoil.report.page  # noqa: F401 - read here, so that nobody waits for it when the results are there
from counterfoil.cohort.events import Events, open_events
from counterfoil.cohort.register import Machine, RegisterPaths
from counterfoil.cohort.settings import CohortSettings, FollowFrom
from counterfoil.comparison import (
    ComparisonSettings,
    EntropyBalancing,
    InverseProbability,
    Nearest,
    Overlap,
    Radius,
    compare,
)
from counterfoil.comparison.checks import MATCHES_WITHIN
from counterfoil.comparison.methods import MethodSettings
from counterfoil.effect import estimate
from counterfoil.errors import UsageError
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.lab.progress import Progress
from counterfoil.outcomes.measures import Measure
from counterfoil.study.plan import Plan, parse_plan, wants_risk_score
from counterfoil.units import Kind

SEED, TREATED, OTHERS = 1, 100, 400  # of the drawn table: enough to fit, too few to take time
USUAL: tuple[MethodSettings, ...] = (Radius(), Nearest(), EntropyBalancing(), InverseProbability(), Overlap())
MEASURES = (Measure("rate", "A rate", Kind.RATE), Measure("count", "A count", Kind.COUNT))


def get_ready(arguments: Mapping[str, Any], progress: Progress) -> Events:
    """What the task `evaluate` can do before it is asked: the events that the plan selects from. Says nothing."""
    del progress
    lab, plan = open_lab(Path(arguments["lab"])), parse_plan(arguments["plan"], "the plan")
    events = open_events(register_of(lab), cohort_settings(plan), machine_of(lab))
    run_once(USUAL)
    return events


def run_once(methods: tuple[MethodSettings, ...], *, treated: int = TREATED, others: int = OTHERS) -> None:
    """Each method of comparison on a drawn table, and estimates of rates and counts with their adjustment."""
    rng = np.random.default_rng(SEED)
    n = treated + others
    people = pa.table(
        {
            "treated": np.arange(n) < treated,
            "age": rng.normal(40.0, 10.0, n),
            "sex": pa.array(np.where(rng.random(n) < 0.5, "f", "m")),
            "area": pa.array(np.where(rng.random(n) < 0.5, "north", "south")),
        }
    )
    outcomes = {"rate": (rng.random(n) < 0.5).astype(np.float64), "count": rng.poisson(1.0, n).astype(np.float64)}
    for method in methods:
        exact = ("sex",) if method.kind in MATCHES_WITHIN else ()
        settings = ComparisonSettings(covariates=("age", "sex", "area"), exact=exact, method=method)
        estimate(outcomes, compare(people, "treated", settings), MEASURES, people=people)


def machine_of(lab: OpenLab) -> Machine:
    """How much of the machine a lab's settings allow."""
    return Machine(lab.settings.threads, lab.settings.memory)


def register_of(lab: OpenLab) -> RegisterPaths:
    """The newest register. UsageError before the first `register`."""
    folder = lab.paths.latest_register()
    if folder is None:
        raise UsageError(f"This lab has no register yet. Run counterfoil register {lab.paths.root} first.")
    return RegisterPaths(folder)


def cohort_settings(plan: Plan) -> CohortSettings:
    """The selection stage's settings."""
    return CohortSettings(
        index_kinds=tuple(plan.cohort.index_kinds),
        index_window_days=plan.cohort.index_window_days,
        first_year=plan.cohort.first_year,
        last_year=plan.cohort.last_year,
        follow_from=FollowFrom(plan.cohort.follow_from),
        follow_up_months=plan.outcomes.follow_up_months,
        waiting_months=plan.outcomes.waiting_months,
        seed=plan.seed,
        set_apart=wants_risk_score(plan),
    )
