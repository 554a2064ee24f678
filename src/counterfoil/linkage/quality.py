"""How good a spine is: what can be counted, what the model says of itself (labelled so), the truth if it is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.linkage.clusters import Labels, Links, Strictness, components
from counterfoil.linkage.core.cells import dictionary
from counterfoil.linkage.core.reader import combine
from counterfoil.linkage.prepare import STANDARD_COLUMNS
from counterfoil.warehouse import query

DIGITS = 6
SHARE_DIGITS = 4
MODEL_NOTE = (
    "Estimated from the model alone, nobody has looked at the pairs. Over pairs that a blocking rule compared and that "
    "weigh 0 or more; what blocking missed is not in it."
)
TRUTH_NOTE = "Against the known truth of a synthetic population. Pairs of records, after clustering."
_Z95 = 1.959963984540054  # 97.5th percentile of the normal distribution
_RATE = Mapping[str, Any]
_EXACT = (("pnc_std",), ("prison_number_std",), ("name_key", "dob"))
_TOGETHER = ("both", "linked", "true_pairs")  # put together by linkage and truth, by linkage, by truth
_NOT_IDENTIFIERS = frozenset({"source", "record_id", "dob_is_1jan", "alias_names"})


def completeness(prepared: pa.Table) -> Mapping[str, _RATE]:
    """For each source: records, and the share (0-1) of them in which each identifier is there and valid."""
    columns = [name for name in STANDARD_COLUMNS if name not in _NOT_IDENTIFIERS and not name.endswith("_parts")]
    codes, sources = dictionary(prepared["source"])
    records = np.bincount(codes, minlength=len(sources))
    held = {name: np.bincount(codes[_is_there(prepared[name])], minlength=len(sources)) for name in columns}
    return {
        source: {"records": int(records[number])}
        | {name: _share(held[name][number], records[number]) for name in columns}
        for source, number in sorted((text, at) for at, text in enumerate(sources.to_pylist()) if text is not None)
    }


def _is_there(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = column.is_valid().to_numpy()
    return found


def _share(part: int, whole: int) -> float:
    return round(int(part) / int(whole), SHARE_DIGITS)


def link_rates(prepared: pa.Table, labels: Labels) -> Mapping[str, Mapping[str, float]]:
    """For each source and each other: share (0-1) of its records whose person also has a record of the other."""
    codes, sources = dictionary(prepared["source"])
    person = np.unique(labels, return_inverse=True)[1] if labels.size else labels
    has = np.zeros((int(person.max(initial=-1)) + 1, len(sources)), dtype=np.bool_)
    has[person, codes] = True
    names = sorted((text, at) for at, text in enumerate(sources.to_pylist()) if text is not None)
    rates: dict[str, dict[str, float]] = {}
    for source, number in names:
        own = person[codes == number]
        found = has[own].sum(axis=0)
        shares = {other: _share(found[at], own.size) for other, at in names if at != number and found[at]}
        if shares:
            rates[source] = shares
    return rates


def estimated(links: Links, thresholds: Mapping[Strictness, float]) -> _RATE:
    """Precision and recall that the model expects of its own links, if it is right. `links` down to weight 0."""
    probability = probability_of(links.weight)
    everything = float(probability.sum())
    rows: dict[str, Any] = {"note": MODEL_NOTE}
    for level, limit in thresholds.items():
        taken = probability[links.weight >= limit]
        rows[level.value] = {
            "links": int(taken.size),
            "false_links": round(float((1 - taken).sum()), 3),
            "missed_links": round(everything - float(taken.sum()), 1),
            "precision": round(float(taken.mean()), DIGITS) if taken.size else None,
            "recall": round(float(taken.sum()) / everything, DIGITS) if everything else None,
        }
    return rows


def probability_of(weight: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Probability of being one person from a total weight in bits."""
    odds: npt.NDArray[np.float64] = np.exp2(-weight)
    return 1 / (1 + odds)


def exact_baseline(prepared: pa.Table) -> Labels:
    """What plain SQL finds: records that share a PNC number, a prison number, or both names and the birth date."""
    chains = [_chained(prepared, columns) for columns in _EXACT]
    left, right = (np.concatenate([getattr(chain, side) for chain in chains]) for side in ("left", "right"))
    return components(prepared.num_rows, Links(left, right, np.zeros(left.size)))


def _chained(prepared: pa.Table, columns: Sequence[str]) -> Links:
    """Each record that has a key linked to the first that has it: the same components as all pairs of equal keys."""
    coded = [dictionary(prepared[column]) for column in columns]
    held = np.flatnonzero(np.logical_and.reduce([codes > 0 for codes, _ in coded]))
    key, first = combine([codes[held] for codes, _ in coded], [len(values) for _, values in coded])
    one = held[first[key]]
    other = one != held
    return Links(one[other], held[other], np.zeros(int(other.sum())))


def against_truth(prepared: pa.Table, labels: Labels, truth: pa.Table, groups: Sequence[str]) -> _RATE:
    """Precision and recall (0-1, Wilson 95% intervals) of pairs in one cluster, overall and by the true person's group.

    `truth` has source, record_id, person_id and the columns `groups`. A false pair counts in the group of each of its
    records.
    """
    joined = _with_truth(prepared, labels, truth, groups)
    coded = [dictionary(joined[column])[0] for column in ("person", "person_id")]
    both, _ = combine(coded, [int(codes.max(initial=0)) + 1 for codes in coded])
    parts = {name: part.astype(np.int64) for name, part in zip(_TOGETHER, (both, *coded), strict=True)}
    sizes = {name: np.bincount(part) for name, part in parts.items()}
    answer: dict[str, Any] = {"note": TRUTH_NOTE, "all": _pair_rates(parts, sizes, None)}
    for group in groups:
        codes, values = dictionary(joined[group])
        order = sorted((str(value), number) for number, value in enumerate(values.to_pylist()) if value is not None)
        answer[f"by_{group}"] = {
            text: _pair_rates(parts, sizes, np.flatnonzero(codes == number)) for text, number in order
        }
    return answer


def _with_person(prepared: pa.Table, labels: Labels) -> pa.Table:
    return prepared.select(["source", "record_id"]).append_column("person", pa.array(labels))


def _with_truth(prepared: pa.Table, labels: Labels, truth: pa.Table, groups: Sequence[str]) -> pa.Table:
    columns = ", ".join(["person", "person_id", *groups])
    sql = f"SELECT {columns} FROM t JOIN truth USING (source, record_id)"
    return query(sql, {"t": _with_person(prepared, labels), "truth": truth})


def _pair_rates(parts: Mapping[str, Labels], sizes: Mapping[str, Labels], inside: Labels | None) -> _RATE:
    """Pairs with at least one record `inside` (None: all pairs), from the sizes of clusters with and without those.

    `parts`: for each way of putting records together the number of each record's cluster; `sizes`: those clusters'.
    """
    found = {}
    for name, part in parts.items():
        n = sizes[name]
        others = np.zeros_like(n) if inside is None else n - np.bincount(part[inside], minlength=n.size)
        found[name] = int((n * (n - 1) - others * (others - 1)).sum() // 2)
    return {
        "true_pairs": found["true_pairs"],
        "precision": rate(found["both"], found["linked"]),
        "recall": rate(found["both"], found["true_pairs"]),
    }


def rate(part: int, whole: int) -> _RATE:
    """part / whole with Wilson's 95% interval; nulls when there is nothing to divide by."""
    if not whole:
        return {"rate": None, "low": None, "high": None}
    share = part / whole
    centre = share + _Z95**2 / (2 * whole)
    half = _Z95 * sqrt(share * (1 - share) / whole + _Z95**2 / (4 * whole**2))
    scale = 1 + _Z95**2 / whole
    low, high = (centre - half) / scale, (centre + half) / scale
    return {"rate": round(share, DIGITS), "low": round(max(low, 0.0), DIGITS), "high": round(min(high, 1.0), DIGITS)}
