"""Who is compared with whom: covariates, propensity, matching, balance. Never sees an outcome."""

from typing import TYPE_CHECKING

from counterfoil.lazily import read_when_asked

if TYPE_CHECKING:
    from counterfoil.comparison.compare import compare, compare_groups, prepare, with_propensity
    from counterfoil.comparison.methods import (
        CoarsenedExact,
        EntropyBalancing,
        InverseProbability,
        Kernel,
        Method,
        Nearest,
        Order,
        Overlap,
        Radius,
        Ruler,
        Scale,
        Subclassification,
        Target,
        Ties,
        Unit,
    )
    from counterfoil.comparison.pictures import Picture, love_plot, overlap_plot
    from counterfoil.comparison.presets import (
        matchit,
        matchit_weights,
        psmatch2_kernel,
        psmatch2_nearest,
        psmatch2_radius,
    )
    from counterfoil.comparison.values import (
        BalanceRow,
        Band,
        CaliperStep,
        Comparison,
        ComparisonSettings,
        Design,
        Estimand,
        Pairs,
    )

__all__ = [
    "BalanceRow",
    "Band",
    "CaliperStep",
    "CoarsenedExact",
    "Comparison",
    "ComparisonSettings",
    "Design",
    "EntropyBalancing",
    "Estimand",
    "InverseProbability",
    "Kernel",
    "Method",
    "Nearest",
    "Order",
    "Overlap",
    "Pairs",
    "Picture",
    "Radius",
    "Ruler",
    "Scale",
    "Subclassification",
    "Target",
    "Ties",
    "Unit",
    "compare",
    "compare_groups",
    "love_plot",
    "matchit",
    "matchit_weights",
    "overlap_plot",
    "prepare",
    "psmatch2_kernel",
    "psmatch2_nearest",
    "psmatch2_radius",
    "with_propensity",
]

read_when_asked(__name__)
