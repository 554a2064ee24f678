"""Drawn people for tests of the comparison: who is treated depends on what the table shows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from counterfoil.comparison.values import ComparisonSettings

COVARIATES = ("age", "priors", "region", "employed", "tenure")
SETTINGS = ComparisonSettings(covariates=COVARIATES, exact=("sex",), terms=("age^2", "priors*employed"))


def draw_people(seed: int, rows: int, *, treated_share: float = 0.2) -> pa.Table:
    """`rows` people with numbers, factors, missing values and an exact factor; logit of treatment linear in age,
    priors, region and employment."""
    rng = np.random.default_rng(seed)
    age = np.round(rng.normal(35.0, 9.0, rows))
    priors = rng.poisson(3.0, rows).astype(np.int64)
    region = rng.choice(["north", "south", "east", "west"], rows, p=[0.4, 0.3, 0.2, 0.1])
    employed = rng.random(rows) < 0.4
    score = -0.03 * (age - 35) + 0.1 * (priors - 3) + 0.4 * (region == "north") - 0.5 * employed
    base = np.log(treated_share / (1.0 - treated_share))
    treated = rng.random(rows) < 1.0 / (1.0 + np.exp(-(base + score)))
    return pa.table(
        {
            "treated": treated,
            "age": age,
            "priors": priors,
            "region": pa.array(region, mask=rng.random(rows) < 0.1),
            "employed": employed,
            "tenure": pa.array(rng.exponential(10.0, rows), mask=rng.random(rows) < 0.15),
            "sex": rng.choice(["f", "m"], rows, p=[0.3, 0.7]),
        }
    )
