"""More people, encoded as those of a design are: the same levels, the same filling of what is missing, the same terms.

They change nothing of the design. A level that nobody of the design has is "other" where there is one, else the
reference.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.comparison.design import Covariates
from counterfoil.comparison.factors import OTHER, FactorColumn, encode_indicator, read_labels
from counterfoil.comparison.terms import NumberColumn, build_term, parse_term
from counterfoil.comparison.values import ComparisonSettings
from counterfoil.logit import CodedDesign, Factor


def encode_more(covariates: Covariates, people: pa.Table, settings: ComparisonSettings) -> CodedDesign:
    """The rows of `people` as rows of the design that `covariates` hold."""
    design = covariates.design
    known = {factor.name: factor for factor in design.factors}
    factors: dict[str, FactorColumn] = {}
    numbers: dict[str, NumberColumn] = {}
    for name in settings.covariates:
        if name in known:
            factors[name] = _factor(known[name], people[name])
        elif name in design.numeric_names:
            values = people[name].cast(pa.float64(), safe=False)
            mean = float(design.numeric[:, design.numeric_names.index(name)].mean())
            numbers[name] = NumberColumn(name, pc.fill_null(values, mean).to_numpy(), name)
            missing = f"{name}: missing"
            factors[missing] = encode_indicator(missing, pc.is_null(values).to_numpy(), name)
    for term in settings.terms:
        operands = parse_term(term)
        if all(operand.column in numbers or operand.column in factors for operand in operands):
            for column in build_term(operands, {n: numbers[n] for n in settings.covariates if n in numbers}, factors):
                numbers[column.name] = column
    rows = people.num_rows
    codes = [factors[factor.name].codes for factor in design.factors]
    values = [numbers[name].values for name in design.numeric_names]
    return CodedDesign(
        design.factors,
        np.ascontiguousarray(np.column_stack(codes).astype(design.codes.dtype))
        if codes
        else np.empty((rows, 0), design.codes.dtype),
        design.numeric_names,
        np.ascontiguousarray(np.column_stack(values)) if values else np.empty((rows, 0)),
    )


def _factor(factor: Factor, column: pa.ChunkedArray) -> FactorColumn:
    kind = column.type
    is_coded = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    labels = read_labels(column.cast(pa.int8(), safe=False) if is_coded else column)
    place = {level: code for code, level in enumerate(factor.levels)}
    lookup = np.array([place.get(label, place.get(OTHER, 0)) for label in labels.labels], np.int16)
    return FactorColumn(factor, lookup[labels.positions], factor.name)


def with_more(design: CodedDesign, more: CodedDesign) -> CodedDesign:
    """Both, one after the other."""
    return CodedDesign(
        design.factors,
        np.concatenate([design.codes, more.codes]),
        design.numeric_names,
        np.concatenate([design.numeric, more.numeric]),
    )
