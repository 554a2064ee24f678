"""The few small dense sums a fit needs, in a fixed order.

BLAS splits its sums by the number of cores, so its last digits differ between machines; and its threads wait for each
other when anything else runs. At a few hundred columns plain loops cost milliseconds.
"""

from __future__ import annotations

import numpy as np

from counterfoil.logit.compiling import compiled
from counterfoil.logit.values import FloatArray


def invert(matrix: FloatArray) -> FloatArray | None:
    """Inverse of a symmetric matrix; None when it is not positive definite."""
    inverse = np.empty_like(matrix)
    return inverse if _invert(matrix.copy(), inverse) else None


def times(matrix: FloatArray, other: FloatArray) -> FloatArray:
    """`matrix` times a vector or a matrix."""
    product: FloatArray = np.einsum("ij,j...->i...", matrix, other)
    return product


def dot(one: FloatArray, other: FloatArray) -> float:
    """Sum of products, added pairwise."""
    return float((one * other).sum())


@compiled
def _invert(lower: FloatArray, inverse: FloatArray) -> bool:  # pragma: no cover - compiled
    """Cholesky in place, then the inverse of its factor, then its square."""
    n = len(lower)
    for i in range(n):
        for j in range(i + 1):
            total = lower[i, j]
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            if i == j:
                if not total > 0.0:
                    return False
                lower[i, i] = np.sqrt(total)
            else:
                lower[i, j] = total / lower[j, j]
    half = np.zeros((n, n))  # the transposed inverse of the factor: row j holds column j
    for j in range(n):
        half[j, j] = 1.0 / lower[j, j]
        for i in range(j + 1, n):
            total = 0.0
            for k in range(j, i):
                total -= lower[i, k] * half[j, k]
            half[j, i] = total / lower[i, i]
    for i in range(n):
        for j in range(i + 1):
            total = 0.0
            for k in range(i, n):
                total += half[i, k] * half[j, k]
            inverse[i, j] = total
            inverse[j, i] = total
    return True
