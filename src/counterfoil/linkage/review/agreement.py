"""How far two reviewers of the same pairs agree: per cent, and Cohen's kappa with its interval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from counterfoil.linkage.review.decisions import Answered, by_pair
from counterfoil.linkage.review.values import Answer

_Z = 1.959963984540054  # 95%
_ORDER = tuple(Answer)
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Kappa:
    """Agreement beyond chance: -1 to 1, with a 95% interval. None where all say one thing and chance is everything."""

    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """`pairs` that two or more looked at, the share (0-1) on which the first two agree, and kappa."""

    pairs: int
    agreed: float | None
    kappa: Kappa

    def to_json(self) -> dict[str, object]:
        """For programs."""
        kappa = {name: _rounded(getattr(self.kappa, name)) for name in ("estimate", "low", "high")}
        return {"pairs": self.pairs, "agreed": _rounded(self.agreed), "kappa": kappa}


def agreement(found: Iterable[Answered]) -> Agreement:
    """Of the first two answers to each pair that two reviewers gave; the reviewers in order of their names."""
    table = np.zeros((len(_ORDER), len(_ORDER)), dtype=np.int64)
    for group in by_pair(found).values():
        if len(group) > 1:
            one, other = sorted(group[:2], key=lambda answer: answer.reviewer)
            table[_ORDER.index(one.answer), _ORDER.index(other.answer)] += 1
    pairs = int(table.sum())
    return Agreement(pairs, float(table.trace()) / pairs if pairs else None, kappa_of(table))


def kappa_of(table: npt.NDArray[np.int64]) -> Kappa:
    """Cohen's kappa of a square table of counts; the interval from the large-sample error of Fleiss, Cohen and Everitt
    (1969), Psychological Bulletin 72(5)."""
    count = int(table.sum())
    if not count:
        return Kappa(None, None, None)
    share = table / count
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    seen, chance = float(share.trace()), float(rows @ columns)
    if chance >= 1:
        return Kappa(None, None, None)
    kappa = (seen - chance) / (1 - chance)
    error = _error(share, kappa, chance, count)
    return Kappa(kappa, max(-1.0, kappa - _Z * error), min(1.0, kappa + _Z * error))


def _error(share: npt.NDArray[np.float64], kappa: float, chance: float, count: int) -> float:
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    same = float((share.diagonal() * (1 - (rows + columns) * (1 - kappa)) ** 2).sum())
    each = (columns[:, None] + rows[None, :]) ** 2 * share
    other = (1 - kappa) ** 2 * float(each.sum() - each.diagonal().sum())
    variance = same + other - (kappa - chance * (1 - kappa)) ** 2
    return sqrt(max(0.0, variance)) / ((1 - chance) * sqrt(count))


def unsettled(group: Sequence[Answered]) -> bool:
    """Whether two looked at a pair and do not say the same."""
    return len(group) > 1 and len({answer.answer for answer in group}) > 1


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
