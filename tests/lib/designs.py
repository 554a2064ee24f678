"""Small frozen designs for tests of the effect stage."""

from __future__ import annotations

import numpy as np

from counterfoil.comparison.values import BoolArray, Comparison, ComparisonSettings, Design, Estimand, FloatArray


def design_of(treated: BoolArray, weight: FloatArray | None = None, kind: Design = Design.MATCHED) -> Comparison:
    """A design with these groups and weights (1 each when none are given)."""
    weights = np.ones(treated.size) if weight is None else weight
    others = weights[~treated]
    ess = float(others.sum() ** 2 / (others**2).sum()) if others.any() else 0.0
    return Comparison(
        treated=treated,
        weight=weights,
        logit_propensity=np.zeros(0),
        settings=ComparisonSettings(covariates=(), design=kind),
        balance=(),
        steps=(),
        caliper_sd=None,
        caliper=None,
        n_treated=int(treated.sum()),
        n_treated_matched=int((weights[treated] > 0).sum()),
        n_pool=int((~treated).sum()),
        n_comparison=int((others > 0).sum()),
        ess=ess,
        asked=Estimand.ATT,
        achieved=Estimand.ATT,
        reliable=True,
        warnings=(),
        ridge=0.0,
    )
