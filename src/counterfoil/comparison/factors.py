"""One categorical column as codes: missing is a level, rare levels fold, the reference is stated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.errors import UsageError
from counterfoil.logit import INDICATOR_LEVELS, Factor

MISSING = "missing"
OTHER = "other"
MAX_LEVELS = 500  # a column with more is an identifier or free text, not a factor

Codes = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class FactorColumn:
    """A factor, a code for each person, the covariate it came from and what was done to it."""

    factor: Factor
    codes: Codes
    source: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Labels:
    """The distinct labels of a column and each person's position among them."""

    labels: tuple[str, ...]
    positions: npt.NDArray[np.int64]

    def counts(self) -> dict[str, int]:
        """People at each label that occurs."""
        counted = np.bincount(self.positions, minlength=len(self.labels))
        return {label: int(n) for label, n in zip(self.labels, counted, strict=True) if n}


def read_labels(column: pa.ChunkedArray) -> Labels:
    """Labels of a text, yes/no, whole-number or dictionary column. Null and blank text are "missing"."""
    text = _as_text(column)
    encoded = text.dictionary_encode().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):  # no rows
        return Labels((), np.empty(0, np.int64))
    raw = [str(label) if str(label).strip() else MISSING for label in encoded.dictionary.to_pylist()]
    labels = sorted({*raw, MISSING})
    place = {label: position for position, label in enumerate(labels)}
    lookup = np.array([place[label] for label in raw] + [place[MISSING]], dtype=np.int64)
    positions = encoded.indices.fill_null(len(raw)).to_numpy(zero_copy_only=False)
    return Labels(tuple(labels), lookup[positions])


def encode_factor(
    name: str, labels: Labels, *, min_level: int, reference: str | None, usual: str | None = None
) -> FactorColumn:
    """The column as a factor; one level is left when everyone is alike.

    The reference is `reference`, else `usual` if it is a level, else the commonest level (the first by name among
    equals). Raises UsageError when `reference` is not among the levels or there are too many levels.
    """
    counts = labels.counts()
    folded = fold_rare(counts, min_level=min_level)
    levels = sorted(set(folded.values()), key=lambda level: (level == MISSING, level == OTHER, level))
    if len(levels) > MAX_LEVELS:
        raise UsageError(
            f"`{name}` has more than {MAX_LEVELS} different values; group them before using it as a factor."
        )
    _check_reference(name, counts, folded, reference, min_level=min_level)
    first = reference or (usual if usual in levels else _commonest(counts, folded))
    levels = [first, *(level for level in levels if level != first)] if levels else []
    place = {level: code for code, level in enumerate(levels)}
    lookup = np.array([place[folded[label]] if label in folded else 0 for label in labels.labels], dtype=np.int16)
    has_folded = any(label != level for label, level in folded.items())
    note = f'Levels of `{name}` with fewer than {min_level} people were put together as "{OTHER}".'
    notes = (note,) if has_folded and len(levels) > 1 else ()
    return FactorColumn(Factor(name, tuple(levels)), lookup[labels.positions], name, notes)


def encode_indicator(name: str, is_one: npt.NDArray[np.bool_], source: str) -> FactorColumn:
    """A yes/no column with 0 as its reference."""
    return FactorColumn(Factor(name, INDICATOR_LEVELS), is_one.astype(np.int16), source)


def fold_rare(counts: Mapping[str, int], *, min_level: int) -> dict[str, str]:
    """Level each label ends in. Labels under `min_level` people become "other"; while "other" itself is under it, the
    smallest level left (the first by name among equals) joins it."""
    folded = {label: label if n >= min_level else OTHER for label, n in counts.items()}
    while OTHER in folded.values():
        others = sum(counts[label] for label, level in folded.items() if level == OTHER)
        rest = [label for label, level in folded.items() if level != OTHER]
        if others >= min_level or not rest:
            break
        folded[min(rest, key=lambda label: (counts[label], label))] = OTHER
    return folded


def _check_reference(
    name: str, counts: Mapping[str, int], folded: Mapping[str, str], asked: str | None, *, min_level: int
) -> None:
    if asked is None:
        return
    if asked not in counts:
        raise UsageError(f"The reference of `{name}` is {asked!r}, which nobody has. Name a level that occurs.")
    if folded[asked] != asked:
        raise UsageError(
            f"The reference of `{name}` is {asked!r}, which was put together with others: levels with fewer than "
            f"{min_level} people are. Name a commoner level."
        )


def _commonest(counts: Mapping[str, int], folded: Mapping[str, str]) -> str:
    totals: dict[str, int] = {}
    for label, level in folded.items():
        totals[level] = totals.get(level, 0) + counts[label]
    return min(totals, key=lambda level: (-totals[level], level), default="")


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column if pa.types.is_string(column.type) else pc.cast(column, pa.string())
