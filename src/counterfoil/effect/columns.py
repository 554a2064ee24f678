"""The columns of an outcome model: a coded design's slots, its numbers in SDs. The dense matrix is never made."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from counterfoil.comparison.values import FloatArray, IntArray
from counterfoil.logit import CodedDesign
from counterfoil.logit.columns import candidate_slots
from counterfoil.logit.compiling import compiled
from counterfoil.logit.likelihood import Problem, cross_products
from counterfoil.logit.values import CodeArray

UNEXPLAINED_SHARE = 1e-9  # of a column's square that the columns before it leave: less is rounding error


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
    """An intercept, every level but the reference of each factor, and numbers in their SDs; `kept` are slots in use."""

    design: CodedDesign
    centre: FloatArray
    inverse_scale: FloatArray
    kept: IntArray

    @property
    def count(self) -> int:
        """Columns in use."""
        return len(self.kept)

    @property
    def slots(self) -> int:
        """Columns, references and what is not in use included."""
        return int(self.design.offsets[-1]) + len(self.design.numeric_names)

    @property
    def lean_design(self) -> CodedDesign:
        """The design without the numbers that are not in use."""
        design, first = self.design, int(self.design.offsets[-1])
        used = [position for position in range(len(design.numeric_names)) if first + position in self.kept]
        names = tuple(design.numeric_names[position] for position in used)
        return CodedDesign(design.factors, design.codes, names, np.ascontiguousarray(design.numeric[:, used]))

    def times(self, vector: FloatArray) -> FloatArray:
        """One number a row: its columns times `vector`."""
        every, out = np.zeros(self.slots), np.zeros(self.design.rows)
        every[self.kept] = vector
        design = self.design
        _times(design.codes, design.offsets, design.numeric, self.centre, self.inverse_scale, every, out)
        return out

    def total(self, by: FloatArray) -> FloatArray:
        """One number a column: the sum over rows of `by` times the column."""
        totals, design = np.zeros(self.slots), self.design
        _totals(design.codes, design.offsets, design.numeric, self.centre, self.inverse_scale, by, totals)
        in_use: FloatArray = totals[self.kept]
        return in_use

    def gram(self, by: FloatArray) -> FloatArray:
        """Columns times columns, rows weighted `by`."""
        nothing = np.empty(0)
        problem = Problem(self.design, nothing, nothing, self.centre, self.inverse_scale, self.kept, 0.0, 1)
        in_use: FloatArray = cross_products(problem, by)[np.ix_(self.kept, self.kept)]
        return in_use

    def lengths(self, matrix: FloatArray, by: FloatArray) -> FloatArray:
        """One number a row x: `by` times x' matrix x, for a symmetric matrix."""
        every, out, design = np.zeros((self.slots, self.slots)), np.zeros(self.design.rows), self.design
        every[np.ix_(self.kept, self.kept)] = matrix
        _lengths(design.codes, design.offsets, design.numeric, self.centre, self.inverse_scale, every, by, out)
        return out


def columns_of(design: CodedDesign, weight: FloatArray) -> Columns:
    """The columns that can have a coefficient among those with a weight: not constant, no combination of earlier ones.

    Numbers are centred and divided by their SD over those rows, so that dollars and years are of one size.
    """
    used = weight > 0
    numbers = design.numeric[used]
    centre, deviation = numbers.mean(axis=0), numbers.std(axis=0)
    varies = deviation > np.abs(centre) * 1e-12
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
    columns = Columns(design, centre, scale, candidate_slots(design))
    return replace(columns, kept=columns.kept[_independent(columns.gram(weight / weight.sum()))])


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


@compiled
def _times(  # pragma: no cover - compiled
    codes: CodeArray,
    offsets: IntArray,
    numeric: FloatArray,
    centre: FloatArray,
    inverse_scale: FloatArray,
    vector: FloatArray,
    out: FloatArray,
) -> None:
    factors, numbers = codes.shape[1], numeric.shape[1]
    first_number = offsets[factors]
    for i in range(len(out)):
        s = vector[0]
        for j in range(factors):
            s += vector[offsets[j] + codes[i, j]]
        for j in range(numbers):
            s += vector[first_number + j] * (numeric[i, j] - centre[j]) * inverse_scale[j]
        out[i] = s


@compiled
def _totals(  # pragma: no cover - compiled
    codes: CodeArray,
    offsets: IntArray,
    numeric: FloatArray,
    centre: FloatArray,
    inverse_scale: FloatArray,
    by: FloatArray,
    totals: FloatArray,
) -> None:
    factors, numbers = codes.shape[1], numeric.shape[1]
    first_number = offsets[factors]
    for i in range(len(by)):
        w = by[i]
        if w == 0.0:
            continue
        totals[0] += w
        for j in range(factors):
            totals[offsets[j] + codes[i, j]] += w
        for j in range(numbers):
            totals[first_number + j] += w * (numeric[i, j] - centre[j]) * inverse_scale[j]


@compiled
def _lengths(  # pragma: no cover - compiled
    codes: CodeArray,
    offsets: IntArray,
    numeric: FloatArray,
    centre: FloatArray,
    inverse_scale: FloatArray,
    matrix: FloatArray,
    by: FloatArray,
    out: FloatArray,
) -> None:
    factors, numbers = codes.shape[1], numeric.shape[1]
    columns = factors + 1 + numbers
    slots, x = np.zeros(columns, np.int64), np.ones(columns)
    for j in range(numbers):
        slots[factors + 1 + j] = offsets[factors] + j
    for i in range(len(by)):
        if by[i] == 0.0:
            continue
        for j in range(factors):
            slots[j + 1] = offsets[j] + codes[i, j]
        for j in range(numbers):
            x[factors + 1 + j] = (numeric[i, j] - centre[j]) * inverse_scale[j]
        total = 0.0
        for a in range(columns):
            row = matrix[slots[a]]
            cross = 0.5 * row[slots[a]] * x[a]
            for b in range(a + 1, columns):
                cross += row[slots[b]] * x[b]
            total += 2.0 * x[a] * cross
        out[i] = by[i] * total
