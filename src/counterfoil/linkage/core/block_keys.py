"""Block keys: for each rule a number a record, equal where the rule makes a pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from counterfoil.linkage.core.cells import as_text, dictionary, give_back, kind_of
from counterfoil.linkage.core.layout import MISSING, Ints, Kind, RuleKeys
from counterfoil.linkage.core.reader import Reader, columns_of, combine
from counterfoil.linkage.core.splink_json import CoreModel
from counterfoil.linkage.core.sql import NotExpressible


def keys_of(reader: Reader, model: CoreModel) -> tuple[Ints, Ints]:
    """Block keys of each rule; `MISSING` where a part is null, and where nobody else has the key."""
    left: list[Ints] = []
    right: list[Ints] = []
    for rule in model.rules:
        one, other = _rule_keys(reader, rule)
        left.append(one)
        right.append(other)
        give_back()
    if all(rule.is_symmetric for rule in model.rules):
        keys = np.stack(left)
        return keys, keys
    return np.stack(left), np.stack(right)


def _rule_keys(reader: Reader, rule: RuleKeys) -> tuple[Ints, Ints]:
    if not rule.is_symmetric:
        return _two_sided_key(reader, rule)
    keys = _alone_left_out(_rule_key(reader, rule.left))
    return keys, keys


def _rule_key(reader: Reader, parts: Sequence[str]) -> Ints:
    coded = [_part(reader, part) for part in parts]
    return _numbered([codes for codes, _ in coded], [size for _, size in coded])


def _numbered(codes: Sequence[Ints], sizes: Sequence[int]) -> Ints:
    held = codes[0] > 0
    for more in codes[1:]:
        held &= more > 0
    if len(codes) == 1:
        return np.where(held, codes[0] - 1, MISSING).astype(np.int32)
    numbers, _ = combine(codes, sizes)
    numbers[~held] = MISSING
    return numbers


def _part(reader: Reader, sql: str) -> tuple[Ints, int]:
    """Codes (0 for null) of one expression of a key, and how many there are."""
    codes, values = _part_values(reader, sql)
    return codes, len(values)


def _part_values(reader: Reader, sql: str) -> tuple[Ints, pa.Array]:
    columns = columns_of(sql)
    if list(columns) == [sql]:
        return reader.codes(reader.names(columns)[0])
    codes, rows = reader.combined(reader.names(columns))
    (found,) = reader.evaluated(rows, [sql])
    own, values = dictionary(found)
    return own[codes], values


def _two_sided_key(reader: Reader, rule: RuleKeys) -> tuple[Ints, Ints]:
    """Keys of a rule whose sides differ, in one numbering."""
    ones, others, sizes = [], [], []
    for one, other in zip(rule.left, rule.right, strict=True):
        a, a_values = _part_values(reader, one)
        b, b_values = _part_values(reader, other)
        kinds = {kind_of(values.type, Kind.TEXT) for values in (a_values, b_values)} - {""}
        if len(kinds) > 1:
            raise NotExpressible(rule.sql, f"a blocking rule that compares {' with '.join(sorted(kinds))}")
        both = pa.concat_arrays([as_text(a_values[1:]), as_text(b_values[1:])])
        codes, values = dictionary(pa.chunked_array([both]))
        codes = np.concatenate([[0], codes[: len(a_values) - 1], [0], codes[len(a_values) - 1 :]]).astype(np.int32)
        ones.append(codes[a])
        others.append(codes[len(a_values) + b])
        sizes.append(len(values))
    count = len(ones[0])
    both_sides = [np.concatenate([a, b]) for a, b in zip(ones, others, strict=True)]
    keys = _numbered(both_sides, sizes)
    return keys[:count], keys[count:]


def _alone_left_out(keys: Ints) -> Ints:
    """A record that nobody shares its key with makes no pair."""
    held = keys >= 0
    shared = np.bincount(keys[held], minlength=1) > 1
    keys[held] = np.where(shared[keys[held]], keys[held], MISSING)
    return keys
