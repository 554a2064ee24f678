"""The columns of an outcome model, a piece of rows at a time: the dense matrix is never made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from counterfoil.comparison.values import FloatArray
from counterfoil.logit import CodedDesign

ROWS_AT_ONCE = 8_192  # a piece stays in the cache
UNEXPLAINED_SHARE = 1e-9  # of a column's square that the columns before it leave: less is rounding error
IntArray = npt.NDArray[np.int64]


def plain_design(covariates: FloatArray | CodedDesign | None, rows: int) -> CodedDesign:
    """Covariates as a coded design; numbers in a matrix (rows, columns) are taken as they are, none is an intercept."""
    if isinstance(covariates, CodedDesign):
        return covariates
    numbers = np.empty((rows, 0)) if covariates is None else np.ascontiguousarray(covariates, dtype=np.float64)
    if numbers.ndim == 1:
        numbers = np.ascontiguousarray(numbers[:, None])
    names = tuple(f"column {position + 1}" for position in range(numbers.shape[1]))
    return CodedDesign((), np.empty((len(numbers), 0), np.int8), names, numbers)


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """An intercept, every level but the reference of each factor, and numbers in their SDs; `kept` are those in use."""

    design: CodedDesign
    centre: FloatArray
    inverse_scale: FloatArray
    kept: IntArray

    @property
    def count(self) -> int:
        """Columns in use."""
        return len(self.kept)

    @property
    def lean_design(self) -> CodedDesign:
        """The design without the numbers that are not in use."""
        design = self.design
        first = self.count_all - len(design.numeric_names)
        used = [position for position in range(len(design.numeric_names)) if first + position in self.kept]
        names = tuple(design.numeric_names[position] for position in used)
        return CodedDesign(design.factors, design.codes, names, np.ascontiguousarray(design.numeric[:, used]))

    @property
    def count_all(self) -> int:
        """Columns in use or not."""
        levels = sum(len(factor.levels) - 1 for factor in self.design.factors)
        return 1 + levels + len(self.design.numeric_names)

    def pieces(self) -> Iterator[tuple[slice, FloatArray]]:
        """Rows and their columns in use, piece by piece."""
        for first in range(0, self.design.rows, ROWS_AT_ONCE):
            rows = slice(first, min(first + ROWS_AT_ONCE, self.design.rows))
            yield rows, self._dense(rows)[:, self.kept]

    def _dense(self, rows: slice) -> FloatArray:
        codes = self.design.codes[rows]
        parts: list[FloatArray] = [np.ones((len(codes), 1))]
        for position, factor in enumerate(self.design.factors):
            levels = np.arange(1, len(factor.levels))
            parts.append((codes[:, position, None] == levels).astype(np.float64))
        parts.append((self.design.numeric[rows] - self.centre) * self.inverse_scale)
        return np.concatenate(parts, axis=1)

    def times(self, vector: FloatArray) -> FloatArray:
        """One number a row: its columns times `vector`."""
        products: FloatArray = np.concatenate([piece @ vector for _, piece in self.pieces()])
        return products

    def total(self, by: FloatArray) -> FloatArray:
        """One number a column: the sum over rows of `by` times the column."""
        totals: FloatArray = np.sum([by[rows] @ piece for rows, piece in self.pieces()], axis=0)
        return totals

    def gram(self, by: FloatArray) -> FloatArray:
        """Columns times columns, rows weighted `by`."""
        total = np.zeros((self.count, self.count))
        for rows, piece in self.pieces():
            total += piece.T @ (by[rows, None] * piece)
        return total

    def lengths(self, matrix: FloatArray) -> FloatArray:
        """One number a row x: x' matrix x."""
        return np.concatenate([((piece @ matrix) * piece).sum(axis=1) for _, piece in self.pieces()])


def columns_of(design: CodedDesign, weight: FloatArray) -> Columns:
    """The columns that can have a coefficient among those with a weight: not constant, no combination of earlier ones.

    Numbers are centred and divided by their SD over those rows, so that dollars and years are of one size.
    """
    used = weight > 0
    numbers = design.numeric[used]
    centre, deviation = numbers.mean(axis=0), numbers.std(axis=0)
    varies = deviation > np.abs(centre) * 1e-12
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
    columns = Columns(design, centre, scale, np.empty(0, np.int64))
    columns = replace(columns, kept=np.arange(columns.count_all))
    return replace(columns, kept=_independent(columns.gram(weight / weight.sum())))


def _independent(gram: FloatArray) -> IntArray:
    """The columns that those before them do not explain: a Cholesky factorisation that passes over the others."""
    kept: list[int] = []
    factor = np.zeros_like(gram)  # row j: the coordinates of column j on the kept ones
    for j in range(len(gram)):
        done = len(kept)
        for position, i in enumerate(kept):
            factor[j, position] = (gram[j, i] - factor[j, :position] @ factor[i, :position]) / factor[i, position]
        left = gram[j, j] - float(factor[j, :done] @ factor[j, :done])
        if gram[j, j] > 0.0 and left > UNEXPLAINED_SHARE * gram[j, j]:
            factor[j, done] = np.sqrt(left)
            kept.append(j)
    return np.array(kept, dtype=np.int64)
