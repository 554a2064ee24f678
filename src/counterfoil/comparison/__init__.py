"""Who is compared with whom: covariates, propensity, matching, balance. Never sees an outcome."""

from counterfoil.comparison.compare import compare
from counterfoil.comparison.values import (
    BalanceRow,
    Band,
    CaliperStep,
    Comparison,
    ComparisonSettings,
    Design,
    Estimand,
)

__all__ = [
    "BalanceRow",
    "Band",
    "CaliperStep",
    "Comparison",
    "ComparisonSettings",
    "Design",
    "Estimand",
    "compare",
]
