"""Exact factors as one stratum number a person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from counterfoil.comparison.factors import read_labels
from counterfoil.comparison.values import IntArray


def find_exact_problems(people: pa.Table, exact: Sequence[str]) -> list[str]:
    """Sentences about exact factors that hold something finer than a factor."""
    return [
        f"`{name}` holds {people[name].type} values; an exact factor is text, yes/no or whole numbers. Band it first."
        for name in exact
        if not _can_be_exact(people[name].type)
    ]


def strata(people: pa.Table, exact: Sequence[str]) -> IntArray:
    """One number for each combination of the exact factors, in the order of their values; missing is a value."""
    combined = np.zeros(people.num_rows, np.int64)
    for name in exact:
        labels = read_labels(people[name])
        _, combined = np.unique(combined * (len(labels.labels) + 1) + labels.positions, return_inverse=True)
    return combined


def _can_be_exact(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return bool(is_text or pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind))
