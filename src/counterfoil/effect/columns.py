"""The columns of an outcome model: a coded design's slots, its numbers in SDs. The dense matrix is never made."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from counterfoil.comparison.values import FloatArray, IntArray
from counterfoil.logit import CodedDesign
from counterfoil.logit.compiling import compiled
from counterfoil.logit.likelihood import Problem, cross_products
from counterfoil.logit.values import CodeArray


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
    stretch: FloatArray  # of each slot: what a ridge on it is multiplied by

    @property
    def count(self) -> int:
        """Columns in use."""
        return len(self.kept)

    @property
    def slots(self) -> int:
        """Columns, references and what is not in use included."""
        return int(self.design.offsets[-1]) + len(self.design.numeric_names)

    def penalty(self, ridge: float) -> FloatArray:
        """A ridge on every column but the intercept."""
        return np.where(self.kept == 0, 0.0, ridge * self.stretch[self.kept])

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

    def problem(self, outcome: FloatArray, weight: FloatArray, ridge: float = 0.0) -> Problem:
        """What a likelihood is asked of, with these columns."""
        return Problem(self.design, outcome, weight, self.centre, self.inverse_scale, self.kept, ridge, 1, self.stretch)

    def gram(self, by: FloatArray) -> FloatArray:
        """Columns times columns, rows weighted `by`."""
        nothing = np.empty(0)
        in_use: FloatArray = cross_products(self.problem(nothing, nothing), by)[np.ix_(self.kept, self.kept)]
        return in_use

    def lengths(self, matrix: FloatArray, by: FloatArray) -> FloatArray:
        """One number a row x: `by` times x' matrix x, for a symmetric matrix."""
        every, out, design = np.zeros((self.slots, self.slots)), np.zeros(self.design.rows), self.design
        every[np.ix_(self.kept, self.kept)] = matrix
        _lengths(design.codes, design.offsets, design.numeric, self.centre, self.inverse_scale, every, by, out)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Narrowing:
    """A design without the factors and numbers of which no slot is wanted, and which of the whole's slots it has.

    A model of few columns then passes over few: sums are the same to the last digit, for what is left out was times 0.
    """

    design: CodedDesign
    numbers: IntArray  # of the whole's
    slots: IntArray  # of the whole's, in the order of its own

    def of(self, columns: Columns) -> Columns:
        """The same columns of the narrower design; those in use must be among its slots."""
        return replace(
            columns,
            design=self.design,
            centre=columns.centre[self.numbers],
            inverse_scale=columns.inverse_scale[self.numbers],
            kept=np.searchsorted(self.slots, columns.kept),
            stretch=columns.stretch[self.slots],
        )


def narrowing_to(design: CodedDesign, slots: IntArray) -> Narrowing:
    """To the factors and numbers that have one of these slots."""
    offsets, first = design.offsets, int(design.offsets[-1])
    used = np.zeros(first + len(design.numeric_names), np.bool_)
    used[slots] = True
    factors = [f for f in range(len(design.factors)) if used[offsets[f] : offsets[f + 1]].any()]
    numbers = np.flatnonzero(used[first:])
    narrow = CodedDesign(
        tuple(design.factors[f] for f in factors),
        np.ascontiguousarray(design.codes[:, factors]),
        tuple(design.numeric_names[n] for n in numbers),
        np.ascontiguousarray(design.numeric[:, numbers]),
    )
    levels = [np.arange(offsets[f], offsets[f + 1]) for f in factors]
    return Narrowing(narrow, numbers, np.concatenate([np.zeros(1, np.int64), *levels, first + numbers]))


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
            s += vector[np.uint64(offsets[j] + codes[i, j])]
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
            totals[np.uint64(offsets[j] + codes[i, j])] += w
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
    """x' matrix x is twice the sum over pairs of columns, each with itself at half."""
    factors, numbers = codes.shape[1], numeric.shape[1]
    first_number = offsets[factors]
    mixed, inner = matrix[:first_number, first_number:].copy(), matrix[first_number:, first_number:].copy()
    slots = np.zeros(factors + 1, np.uint64)
    x, beside = np.empty(numbers), np.empty(numbers)
    for i in range(len(by)):
        if by[i] == 0.0:
            continue
        for j in range(factors):
            slots[j + 1] = np.uint64(offsets[j] + codes[i, j])
        for j in range(numbers):
            x[j] = (numeric[i, j] - centre[j]) * inverse_scale[j]
            beside[j] = 0.0
        total = 0.0
        for a in range(factors + 1):
            row, with_numbers = matrix[slots[a]], mixed[slots[a]]
            total += 0.5 * row[slots[a]]
            for b in range(a + 1, factors + 1):
                total += row[slots[b]]
            for j in range(numbers):
                beside[j] += with_numbers[j]
        for j in range(numbers):
            half = 0.5 * x[j]
            for k in range(numbers):
                beside[k] += half * inner[j, k]
        for j in range(numbers):
            total += x[j] * beside[j]
        out[i] = by[i] * 2.0 * total
