"""What may be shown. `protect` is the only way out; a report takes nothing else."""

from counterfoil.comparison.values import Band, Design, Estimand
from counterfoil.disclosure.gate import check_gate
from counterfoil.disclosure.pooling import (
    ProtectedPool,
    ProtectedRange,
    ProtectedStudy,
    Released,
    decimals_released,
    protect_pool,
)
from counterfoil.disclosure.protect import protect, refuse
from counterfoil.disclosure.settings import DEFAULT_SETTINGS, DisclosureSettings, Parameter
from counterfoil.disclosure.values import (
    NOT_APPLICABLE,
    Box,
    Cell,
    Finding,
    Protected,
    ProtectedAttrition,
    ProtectedBalance,
    ProtectedBox,
    ProtectedEstimate,
    ProtectedGroup,
    ProtectedMeasure,
    ProtectedRefusal,
    ProtectedTerm,
    Rule,
    Shown,
    Verdict,
)
from counterfoil.outcomes.measures import Better, Measure, Support

__all__ = [
    "DEFAULT_SETTINGS",
    "NOT_APPLICABLE",
    "Band",
    "Better",
    "Box",
    "Cell",
    "Design",
    "DisclosureSettings",
    "Estimand",
    "Finding",
    "Measure",
    "Parameter",
    "Protected",
    "ProtectedAttrition",
    "ProtectedBalance",
    "ProtectedBox",
    "ProtectedEstimate",
    "ProtectedGroup",
    "ProtectedMeasure",
    "ProtectedPool",
    "ProtectedRange",
    "ProtectedRefusal",
    "ProtectedStudy",
    "ProtectedTerm",
    "Released",
    "Rule",
    "Shown",
    "Support",
    "Verdict",
    "check_gate",
    "decimals_released",
    "protect",
    "protect_pool",
    "refuse",
]
