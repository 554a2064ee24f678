"""People's covariates as a coded design, ready for the score and the balance table."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.comparison.factors import FactorColumn, encode_factor, encode_indicator, read_labels
from counterfoil.comparison.terms import NumberColumn, build_term, parse_term
from counterfoil.comparison.values import ComparisonSettings
from counterfoil.errors import UsageError
from counterfoil.logit import CodedDesign

INT8_LEVELS = 127
ROWS_AT_ONCE = 8_192  # columns become rows in pieces that stay in the cache


@dataclass(frozen=True, slots=True)
class Covariates:
    """The design and where its columns came from; `notes` say what was left out, put together or filled in."""

    design: CodedDesign
    factor_sources: tuple[str, ...]
    numeric_sources: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def slot_sources(self) -> tuple[str, ...]:
        """The covariate of each slot after the intercept: every level of every factor, then the numbers."""
        factors = zip(self.design.factors, self.factor_sources, strict=True)
        return (*(source for factor, source in factors for _ in factor.levels), *self.numeric_sources)


@dataclass(slots=True)
class _Columns:
    """Columns as they are encoded, with every problem found on the way."""

    factors: dict[str, FactorColumn] = field(default_factory=dict)
    numbers: dict[str, NumberColumn] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add_factor(self, column: FactorColumn) -> None:
        if len(column.factor.levels) < 2:
            self.leave_out(column.factor.name)
            return
        self.factors[column.factor.name] = column
        self.notes.extend(column.notes)

    def leave_out(self, name: str) -> None:
        self.left_out.add(name)
        self.notes.append(f"`{name}` was left out: it is the same for everyone, or for all but a few people.")


def encode_covariates(people: pa.Table, settings: ComparisonSettings) -> Covariates:
    """Encode `settings.covariates` and `settings.terms` of `people`, in that order.

    Text, yes/no and dictionary columns are factors, and so are numbers that are only 0 and 1. Missing is a level of a
    factor; in a number it becomes the mean, and a yes/no column "NAME: missing" says where. Raises UsageError with
    every problem at once.
    """
    columns = _Columns()
    for name in settings.covariates:
        try:
            _encode_column(columns, name, people[name], settings)
        except UsageError as error:
            columns.problems.extend(error.problems)
    columns.problems += _find_reference_problems(columns, settings)
    columns.problems += _find_term_problems(columns, settings)
    if columns.problems:
        raise UsageError(*columns.problems)
    return _assemble(columns, people.num_rows)


def _encode_column(columns: _Columns, name: str, column: pa.ChunkedArray, settings: ComparisonSettings) -> None:
    kind = column.type
    reference = settings.references.get(name)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = column.cast(pa.float64(), safe=False)  # whole numbers over 2^53 lose their last digits
        _check_finite(name, numbers)
        if _is_zero_one(numbers):
            _add_zero_one(columns, name, numbers, settings)
        else:
            _add_numbers(columns, name, numbers, settings)
    elif pa.types.is_boolean(kind):
        _add_zero_one(columns, name, column, settings)
    elif pa.types.is_dictionary(kind) or _is_text(kind) or pa.types.is_null(kind):
        labels = read_labels(column)
        columns.add_factor(encode_factor(name, labels, min_level=settings.min_level, reference=reference))
    else:
        raise UsageError(
            f"`{name}` holds {kind} values; a covariate is text, yes/no or a number. "
            "Turn a date into an age or a number of days."
        )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _check_finite(name: str, numbers: pa.ChunkedArray) -> None:
    if pc.any(pc.invert(pc.is_finite(numbers))).as_py():
        raise UsageError(f"`{name}` holds values that are NaN or infinite. Mend them or leave them empty.")


def _is_zero_one(numbers: pa.ChunkedArray) -> bool:
    return bool(pc.all(pc.or_(pc.equal(numbers, 0.0), pc.equal(numbers, 1.0)), min_count=1).as_py())


def _add_zero_one(columns: _Columns, name: str, column: pa.ChunkedArray, settings: ComparisonSettings) -> None:
    labels = read_labels(column.cast(pa.int8()))
    reference = settings.references.get(name)
    encoded = encode_factor(name, labels, min_level=settings.min_level, reference=reference, usual="0")
    columns.add_factor(encoded)


def _add_numbers(columns: _Columns, name: str, numbers: pa.ChunkedArray, settings: ComparisonSettings) -> None:
    is_missing = pc.is_null(numbers).to_numpy()
    present = numbers.drop_null().to_numpy()
    if len(present) == 0 or present.min() == present.max():
        columns.leave_out(name)
        return
    if is_missing.any():
        # An exactly rounded sum, so that the order of the rows does not change the mean's last digit.
        numbers = numbers.fill_null(math.fsum(present) / len(present))
        _add_missing(columns, name, is_missing, settings)
    columns.numbers[name] = NumberColumn(name, numbers.to_numpy(), name)


def _add_missing(
    columns: _Columns, name: str, is_missing: np.ndarray[tuple[int], np.dtype[np.bool_]], settings: ComparisonSettings
) -> None:
    note = f"Missing values of `{name}` were filled with its mean"
    if min(is_missing.sum(), (~is_missing).sum()) < settings.min_level:
        columns.notes.append(f"{note}; too few are missing, or present, for a column that says so.")
        return
    columns.notes.append(f"{note}, and a yes/no column says where.")
    columns.add_factor(encode_indicator(f"{name}: missing", is_missing, name))


def _find_reference_problems(columns: _Columns, settings: ComparisonSettings) -> list[str]:
    known = {column.source for column in columns.factors.values() if column.factor.name == column.source}
    unused = sorted(set(settings.references) - known - columns.left_out - _names_in(columns.problems, settings))
    return [f"`references` names `{name}`, which is not a factor among the covariates. Remove it." for name in unused]


def _names_in(problems: list[str], settings: ComparisonSettings) -> set[str]:
    return {name for name in settings.covariates if any(f"`{name}`" in problem for problem in problems)}


def _find_term_problems(columns: _Columns, settings: ComparisonSettings) -> list[str]:
    """Add the terms to `columns.numbers`; give what was wrong with them."""
    problems: list[str] = []
    covariates = dict(columns.numbers)
    for term in settings.terms:
        try:
            operands = parse_term(term)
            names = [operand.column for operand in operands]
            unknown = [name for name in names if name not in settings.covariates]
            problems += [f"The term {term!r} names `{name}`, which is not among the covariates." for name in unknown]
            if unknown or any(name not in covariates and name not in columns.factors for name in names):
                continue  # a column that was left out, or refused above, takes its terms with it
            for column in build_term(operands, covariates, columns.factors):
                columns.numbers[column.name] = column
        except UsageError as error:
            problems.extend(error.problems)
    return problems


def _assemble(columns: _Columns, rows: int) -> Covariates:
    factors, numbers = tuple(columns.factors.values()), tuple(columns.numbers.values())
    most = max((len(column.factor.levels) for column in factors), default=0)
    codes = np.empty((rows, len(factors)), np.int8 if most <= INT8_LEVELS else np.int16)
    numeric = np.empty((rows, len(numbers)))
    for first in range(0, rows, ROWS_AT_ONCE):
        some = slice(first, first + ROWS_AT_ONCE)
        for position, factor in enumerate(factors):
            codes[some, position] = factor.codes[some]
        for position, number in enumerate(numbers):
            numeric[some, position] = number.values[some]
    return Covariates(
        design=CodedDesign(
            tuple(column.factor for column in factors), codes, tuple(column.name for column in numbers), numeric
        ),
        factor_sources=tuple(column.source for column in factors),
        numeric_sources=tuple(column.source for column in numbers),
        notes=tuple(columns.notes),
    )
