"""One maximum-likelihood logistic kernel (propensity and risk scores, g-computation), and exponential tilting."""

from typing import TYPE_CHECKING

from counterfoil.lazily import read_when_asked

if TYPE_CHECKING:
    from counterfoil.logit.fitting import SEPARATION_RIDGE, fit
    from counterfoil.logit.kernels import chunk_bounds, column_totals, hash_people, run_chunks
    from counterfoil.logit.refitting import Refitting, ready_to_refit, refit
    from counterfoil.logit.tilting import Moments, Tilt, tilt
    from counterfoil.logit.values import INDICATOR_LEVELS, CodedDesign, Factor, LogitFit

__all__ = [
    "INDICATOR_LEVELS",
    "SEPARATION_RIDGE",
    "CodedDesign",
    "Factor",
    "LogitFit",
    "Moments",
    "Refitting",
    "Tilt",
    "chunk_bounds",
    "column_totals",
    "fit",
    "hash_people",
    "ready_to_refit",
    "refit",
    "run_chunks",
    "tilt",
]

read_when_asked(__name__)
