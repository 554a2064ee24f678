"""What a fit takes and gives: a design kept as category codes and numbers (never a dense matrix), and a fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from counterfoil.errors import UsageError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
CodeArray = npt.NDArray[np.signedinteger[Any]]  # int8 or int16

INTERCEPT = "intercept"
INDICATOR_LEVELS = ("0", "1")  # a factor with these levels is a yes/no column and its term bears the column's name


@dataclass(frozen=True, slots=True)
class Factor:
    """One categorical column: its name and its levels, the reference first (code 0)."""

    name: str
    levels: tuple[str, ...]

    @property
    def is_indicator(self) -> bool:
        """Whether it is a yes/no column."""
        return self.levels == INDICATOR_LEVELS

    def term(self, level: int) -> str:
        """The name of one level's column: "race: black", or "married" for a yes/no column."""
        return self.name if self.is_indicator else f"{self.name}: {self.levels[level]}"


@dataclass(frozen=True, slots=True)
class CodedDesign:
    """Rows by columns without the dense matrix: an intercept, factors as codes, numbers as they are.

    `codes` is (rows, factors), `numeric` is (rows, numbers), both row-major; a code is the position of the level in
    its factor. Numbers are finite and in their own unit: a fit standardises inside and answers in that unit.
    """

    factors: tuple[Factor, ...]
    codes: CodeArray
    numeric_names: tuple[str, ...]
    numeric: FloatArray

    def __post_init__(self) -> None:
        problems = [*self._find_shape_problems()]
        if not problems:  # a code out of range would read outside an array in compiled code
            problems += self._find_code_problems()
        if problems:
            raise UsageError(*problems)

    def _find_shape_problems(self) -> list[str]:
        problems = []
        if self.codes.ndim != 2 or self.numeric.ndim != 2 or len(self.codes) != len(self.numeric):
            problems.append("`codes` and `numeric` must both have one row for each person.")
        elif self.codes.shape[1] != len(self.factors) or self.numeric.shape[1] != len(self.numeric_names):
            problems.append("`codes` and `numeric` must have one column for each factor and each name.")
        if not (self.codes.flags.c_contiguous and self.numeric.flags.c_contiguous):
            problems.append("`codes` and `numeric` must be contiguous and row-major.")
        return problems

    def _find_code_problems(self) -> list[str]:
        if not self.codes.size:
            return []
        low, high = self.codes.min(axis=0), self.codes.max(axis=0)
        return [
            f"`{factor.name}` has codes outside its {len(factor.levels)} levels; codes run from 0."
            for factor, first, last in zip(self.factors, low, high, strict=True)
            if first < 0 or last >= len(factor.levels)
        ]

    @property
    def rows(self) -> int:
        """People."""
        return len(self.codes)

    @property
    def offsets(self) -> IntArray:
        """Where each factor's slots begin; one more entry: where the numbers' slots begin."""
        return 1 + np.concatenate([[0], np.cumsum([len(f.levels) for f in self.factors])]).astype(np.int64)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """A name for each slot: intercept, every level of every factor (the reference too), numbers."""
        levels = [factor.term(level) for factor in self.factors for level in range(len(factor.levels))]
        return (INTERCEPT, *levels, *self.numeric_names)

    def take(self, rows: IntArray) -> CodedDesign:
        """The same design for some of the rows."""
        codes: CodeArray = np.ascontiguousarray(self.codes[rows])
        return CodedDesign(self.factors, codes, self.numeric_names, np.ascontiguousarray(self.numeric[rows]))


@dataclass(frozen=True, slots=True)
class LogitFit:
    """A maximum-likelihood logistic regression; `coef` is on the scale of the columns as they were given."""

    terms: tuple[str, ...]
    coef: FloatArray
    eta: FloatArray  # linear predictor (log odds), one a row
    log_likelihood: float  # without the ridge
    iterations: int  # passes over all rows
    decrement: float  # squared Newton decrement at the end: twice the log-likelihood still to be gained
    ridge: float  # 0.0 unless separation was found; penalty on half the squared coefficients, numbers standardised
    covariance: FloatArray | None  # inverse information, on the scale of `coef`; None when it was not asked for
    dropped: tuple[str, ...]  # columns left out: constant, or a combination of the columns before them
    notes: tuple[str, ...]  # a sentence for each thing that was done to get an answer

    @property
    def standard_errors(self) -> FloatArray:
        """Square roots of the covariance's diagonal; empty when it was not asked for."""
        return np.empty(0) if self.covariance is None else np.sqrt(np.diag(self.covariance))
