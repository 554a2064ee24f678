"""Extra terms that a plan names: powers and products of covariates ("age^2", "re74*black")."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from counterfoil.comparison.factors import FactorColumn
from counterfoil.comparison.values import FloatArray
from counterfoil.errors import UsageError

POWERS = ("2", "3")


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """A number for each person, finite, and the covariate (or term) it came from."""

    name: str
    values: FloatArray
    source: str


@dataclass(frozen=True, slots=True)
class Operand:
    """A covariate to a power inside a term."""

    column: str
    power: int


def parse_term(term: str) -> tuple[Operand, ...]:
    """ "age^2" or "re74*black" as operands. Raises UsageError for anything that is not a power or a product."""
    operands = []
    for part in term.split("*"):
        column, caret, power = (piece.strip() for piece in part.partition("^"))
        if not column or (caret and power not in POWERS):
            raise UsageError(f'The term {term!r} is not understood. Write "age^2", "age^3" or "age*priors".')
        operands.append(Operand(column, int(power) if caret else 1))
    if len(operands) == 1 and operands[0].power == 1:
        raise UsageError(f'The term {term!r} is one covariate. Write "age^2" or "age*priors", or remove it.')
    return tuple(operands)


def build_term(
    operands: tuple[Operand, ...], numbers: Mapping[str, NumberColumn], factors: Mapping[str, FactorColumn]
) -> list[NumberColumn]:
    """The columns of one term: a factor gives one for each level but its reference.

    `source` is the covariate for a power, and the whole term for a product.
    """
    parts = [_part(operand, numbers, factors) for operand in operands]
    columns = []
    for combination in itertools.product(*parts):
        name = "*".join(part.name for part in combination)
        values = np.prod([part.values for part in combination], axis=0)
        source = combination[0].source if len(combination) == 1 else "*".join(o.column for o in operands)
        if not np.isfinite(values).all():
            raise UsageError(f"`{name}` is too large to compute. Use a larger unit for its covariates.")
        columns.append(NumberColumn(name, values, source))
    return columns


def _part(
    operand: Operand, numbers: Mapping[str, NumberColumn], factors: Mapping[str, FactorColumn]
) -> list[NumberColumn]:
    if operand.column in numbers:
        number = numbers[operand.column]
        name = number.name if operand.power == 1 else f"{number.name}^{operand.power}"
        with np.errstate(over="ignore"):  # said in words by the caller
            return [NumberColumn(name, number.values**operand.power, number.source)]
    column = factors[operand.column]
    if operand.power != 1:
        raise UsageError(
            f"`{operand.column}` is a factor and has no powers. Remove `{operand.column}^{operand.power}`."
        )
    levels = range(1, len(column.factor.levels))
    return [
        NumberColumn(column.factor.term(level), (column.codes == level).astype(np.float64), operand.column)
        for level in levels
    ]
