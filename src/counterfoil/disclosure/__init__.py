"""What may be shown. `protect` is the only way out; a report takes nothing else."""

from typing import TYPE_CHECKING

from counterfoil.lazily import read_when_asked

if TYPE_CHECKING:
    from counterfoil.comparison.values import Band, Design, Estimand
    from counterfoil.disclosure.audited import (
        Audited,
        Compared,
        Limit,
        People,
        Record,
        Said,
        counts_once,
        protect_audited,
        read_said,
        write_said,
    )
    from counterfoil.disclosure.beside import (
        NOTHING_BESIDE,
        Beside,
        DrawnGroups,
        GroupTable,
        HiddenBias,
        LinkingResult,
        SampleFacts,
        SubResult,
        TrustResult,
        UnitCost,
        WayResult,
    )
    from counterfoil.disclosure.cells import NOT_APPLICABLE, NOT_AVAILABLE, Box, Cell, Rule, Shown
    from counterfoil.disclosure.gate import check_gate, check_groups
    from counterfoil.disclosure.hiding import More
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
    from counterfoil.disclosure.shown_beside import (
        Placebos,
        ProtectedCell,
        ProtectedCost,
        ProtectedLinking,
        ProtectedPoint,
        ProtectedSample,
        ProtectedSubAnalysis,
        ProtectedSurvival,
        ProtectedTable,
        ProtectedTrust,
        ProtectedWay,
    )
    from counterfoil.disclosure.shown_measures import (
        ProtectedAttrition,
        ProtectedBalance,
        ProtectedBox,
        ProtectedEstimate,
        ProtectedGroup,
        ProtectedMeasure,
        ProtectedRatio,
        ProtectedTerm,
    )
    from counterfoil.disclosure.states import Gaps, LinkAnswer, NoGamma, Verdict, WayGroup
    from counterfoil.disclosure.values import Finding, Protected, ProtectedRefusal, headline_measure
    from counterfoil.outcomes.measures import Better, Measure, Support

__all__ = [
    "DEFAULT_SETTINGS",
    "NOTHING_BESIDE",
    "NOT_APPLICABLE",
    "NOT_AVAILABLE",
    "Audited",
    "Band",
    "Beside",
    "Better",
    "Box",
    "Cell",
    "Compared",
    "Design",
    "DisclosureSettings",
    "DrawnGroups",
    "Estimand",
    "Finding",
    "Gaps",
    "GroupTable",
    "HiddenBias",
    "Limit",
    "LinkAnswer",
    "LinkingResult",
    "Measure",
    "More",
    "NoGamma",
    "Parameter",
    "People",
    "Placebos",
    "Protected",
    "ProtectedAttrition",
    "ProtectedBalance",
    "ProtectedBox",
    "ProtectedCell",
    "ProtectedCost",
    "ProtectedEstimate",
    "ProtectedGroup",
    "ProtectedLinking",
    "ProtectedMeasure",
    "ProtectedPoint",
    "ProtectedPool",
    "ProtectedRange",
    "ProtectedRatio",
    "ProtectedRefusal",
    "ProtectedSample",
    "ProtectedStudy",
    "ProtectedSubAnalysis",
    "ProtectedSurvival",
    "ProtectedTable",
    "ProtectedTerm",
    "ProtectedTrust",
    "ProtectedWay",
    "Record",
    "Released",
    "Rule",
    "Said",
    "SampleFacts",
    "Shown",
    "SubResult",
    "Support",
    "TrustResult",
    "UnitCost",
    "Verdict",
    "WayGroup",
    "WayResult",
    "check_gate",
    "check_groups",
    "counts_once",
    "decimals_released",
    "headline_measure",
    "protect",
    "protect_audited",
    "protect_pool",
    "read_said",
    "refuse",
    "write_said",
]

read_when_asked(__name__)
