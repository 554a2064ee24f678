"""From what each person moves an estimate by to its standard error: our own sandwich.

An estimate that solves a weighted equation is, to first order, a sum over people. With each person's part of it every
robust error is a sum of squares: of persons, of persons stretched by their leverage, of clusters. The constants are
those of R's `sandwich` (Zeileis 2004, Journal of Statistical Software 11(10); Zeileis, Koell and Graham 2020, 95(1)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.effect.tails import beyond_normal, beyond_t, normal_point, point_of_t
from counterfoil.effect.values import ErrorKind, Inference
from counterfoil.effect.welch import LEVEL
from counterfoil.errors import Refused

ESTIMATE_RULE = "estimate"  # of a refusal to calculate what would mislead
LONE = (
    1e-9  # of leverage: who lacks no more than this decides a coefficient alone, so that the residual is 0 in any case
)
Clusters = npt.NDArray[Any]  # one label a person; whole numbers or text


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """Each person's part of an estimate (weights inside; they add up to 0) and leverage in the model behind it."""

    value: FloatArray
    leverage: FloatArray
    parameters: int  # coefficients of the model

    def plus(self, other: Influence, by: float = 1.0) -> Influence:
        """Of a sum of estimates in models on the same rows."""
        return Influence(self.value + by * other.value, self.leverage, self.parameters)

    def times(self, factor: float) -> Influence:
        """Of a multiple."""
        return Influence(factor * self.value, self.leverage, self.parameters)


def squared_parts(influence: Influence, kind: ErrorKind) -> FloatArray:
    """Each person's part of the variance; they add up to it."""
    squares, left = influence.value**2, 1.0 - influence.leverage
    match kind:
        case ErrorKind.HC0:
            return squares
        case ErrorKind.HC1:
            return squares * (squares.size / (squares.size - influence.parameters))
        case ErrorKind.HC2 | ErrorKind.HC3:
            power = 1 if kind is ErrorKind.HC2 else 2
            stretched: FloatArray = np.divide(squares, left**power, out=np.zeros_like(squares), where=left > LONE)
            return stretched
        case ErrorKind.CLUSTERED | ErrorKind.ABADIE_IMBENS | ErrorKind.MODEL:
            raise ValueError(f"{kind.value} is no sum over people")


def clustered_variance(influence: Influence, cluster: Clusters) -> float:
    """Squares of whole clusters, with the factors G / (G - 1) and (n - 1) / (n - k) of R's `vcovCL(type = "HC1")`."""
    labels, member = np.unique(cluster, return_inverse=True)
    together = np.bincount(member, weights=influence.value, minlength=len(labels))
    groups, n = len(labels), influence.value.size
    if groups < 2:
        raise Refused(
            "Everyone is in one cluster, so an error cannot be found from differences between clusters.",
            rule=ESTIMATE_RULE,
        )
    return float((together**2).sum()) * groups / (groups - 1.0) * (n - 1.0) / (n - influence.parameters)


def infer(
    estimate: float,
    influence: Influence,
    kind: ErrorKind,
    *,
    treated: BoolArray,
    weight: FloatArray,
    cluster: Clusters | None = None,
    notes: tuple[str, ...] = (),
) -> Inference:
    """The estimate with its error, t interval and p.

    Degrees of freedom: clusters less one; else Satterthwaite's over the two groups, as in Welch's test, the comparison
    group having Kish's effective n less the coefficients.
    """
    if cluster is not None:
        variance, df = clustered_variance(influence, cluster), float(len(np.unique(cluster))) - 1.0
        return with_interval(estimate, math.sqrt(variance), ErrorKind.CLUSTERED, df=df, notes=notes)
    parts = squared_parts(influence, kind)
    one, other = float(parts[treated].sum()), float(parts[~treated].sum())
    df = _satterthwaite(one, other, treated, weight, influence.parameters)
    return with_interval(estimate, math.sqrt(one + other), kind, df=df, notes=notes)


def with_interval(
    estimate: float, error: float, kind: ErrorKind, *, df: float | None = None, notes: tuple[str, ...] = ()
) -> Inference:
    """A 95% interval and a two-sided p from a standard error. Refuses an error of 0: it would claim certainty."""
    if not (math.isfinite(estimate) and math.isfinite(error) and error > 0.0):
        raise Refused(
            "The figures do not differ from person to person, so no error and no interval can be found.",
            rule=ESTIMATE_RULE,
        )
    share, away = 0.5 + LEVEL / 2.0, abs(estimate) / error
    reach = error * (normal_point(share) if df is None else point_of_t(share, df))
    p = 2.0 * (beyond_normal(away) if df is None else beyond_t(away, df))
    return Inference(estimate, estimate - reach, estimate + reach, p, error, kind, df, notes)


def _satterthwaite(one: float, other: float, treated: BoolArray, weight: FloatArray, parameters: int) -> float:
    def size(w: FloatArray) -> float:
        return float(w.sum() ** 2 / (w * w).sum())

    df_one = max(1.0, size(weight[treated]) - 1.0)
    df_other = max(1.0, size(weight[~treated]) - max(1, parameters - 1))
    total = one + other
    return total**2 / (one**2 / df_one + other**2 / df_other) if total > 0.0 else 1.0
