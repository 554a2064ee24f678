"""Estimates, intervals, tests and power. Calculated here, shown only through `disclosure`."""

from typing import TYPE_CHECKING

from counterfoil.lazily import read_when_asked

if TYPE_CHECKING:
    from counterfoil.effect.abadie_imbens import abadie_imbens
    from counterfoil.effect.adjusting import AdjustedEffect, adjusted
    from counterfoil.effect.combining import Combined, combine, combine_estimates
    from counterfoil.effect.cox import Cox, Ties, cox
    from counterfoil.effect.e_value import EValue, RiskRatio, e_value, e_value_of, ratio_of_means, ratio_of_rates
    from counterfoil.effect.estimate import Compatible, compatible, estimate, is_significant
    from counterfoil.effect.frequency import Frequency, adjusted_frequency
    from counterfoil.effect.g_computation import Adjusted, ModelledOn, adjusted_mean, adjusted_rate
    from counterfoil.effect.inconclusive import Inconclusive, inconclusive
    from counterfoil.effect.joint import joint_p
    from counterfoil.effect.kaplan_meier import Curve, RestrictedMeans, kaplan_meier, restricted_means
    from counterfoil.effect.log_rank import LogRank, log_rank
    from counterfoil.effect.pictures import curve_plot
    from counterfoil.effect.pooling import Pooled, RandomEffects, Study, pool, study_of_interval
    from counterfoil.effect.power import (
        ComeBack,
        CurvePoint,
        HidingRules,
        PowerCase,
        PowerResult,
        PowerRow,
        people_needed,
        power_table,
    )
    from counterfoil.effect.rosenbaum import Bounds, bounds_binary, bounds_m, bounds_signed_rank, gamma_at
    from counterfoil.effect.sub_analyses import SubAnalysis, holm, sub_analyses
    from counterfoil.effect.survival import MonthlyCurve, Survival, survival
    from counterfoil.effect.time_to_first import TimeToFirst, time_to_first
    from counterfoil.effect.values import Effect, ErrorKind, Estimate, Group, Inference, Ratio

__all__ = [
    "Adjusted",
    "AdjustedEffect",
    "Bounds",
    "Combined",
    "ComeBack",
    "Compatible",
    "Cox",
    "Curve",
    "CurvePoint",
    "EValue",
    "Effect",
    "ErrorKind",
    "Estimate",
    "Frequency",
    "Group",
    "HidingRules",
    "Inconclusive",
    "Inference",
    "LogRank",
    "ModelledOn",
    "MonthlyCurve",
    "Pooled",
    "PowerCase",
    "PowerResult",
    "PowerRow",
    "RandomEffects",
    "Ratio",
    "RestrictedMeans",
    "RiskRatio",
    "Study",
    "SubAnalysis",
    "Survival",
    "Ties",
    "TimeToFirst",
    "abadie_imbens",
    "adjusted",
    "adjusted_frequency",
    "adjusted_mean",
    "adjusted_rate",
    "bounds_binary",
    "bounds_m",
    "bounds_signed_rank",
    "combine",
    "combine_estimates",
    "compatible",
    "cox",
    "curve_plot",
    "e_value",
    "e_value_of",
    "estimate",
    "gamma_at",
    "holm",
    "inconclusive",
    "is_significant",
    "joint_p",
    "kaplan_meier",
    "log_rank",
    "people_needed",
    "pool",
    "power_table",
    "ratio_of_means",
    "ratio_of_rates",
    "restricted_means",
    "study_of_interval",
    "sub_analyses",
    "survival",
    "time_to_first",
]

read_when_asked(__name__)
