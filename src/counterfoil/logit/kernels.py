"""Compiled passes over the rows of a coded design, in chunks whose number depends on the size only.

Each chunk has its own totals and the totals are added in chunk order, so the same rows give the same bytes with one
thread or many. A *slot* is a column of the design with a slot for the reference level of each factor too (its
coefficient stays 0): then no row needs a branch.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from counterfoil.logit.compiling import compiled
from counterfoil.logit.values import CodeArray, CodedDesign, FloatArray, IntArray

MAX_CHUNKS = 64
ROWS_A_CHUNK = 2_048  # below this a thread costs more than it brings
MAX_CHUNK_NUMBERS = 8_000_000  # 64 MB of totals at most, for designs with very many columns


def chunk_bounds(rows: int, numbers_a_chunk: int) -> list[tuple[int, int]]:
    """(first, last) of each chunk; a function of the sizes only, never of the thread count."""
    chunks = min(MAX_CHUNKS, -(-rows // ROWS_A_CHUNK), MAX_CHUNK_NUMBERS // max(numbers_a_chunk, 1))
    edges = np.linspace(0, rows, max(chunks, 1) + 1).astype(np.int64)
    return [(int(first), int(last)) for first, last in pairwise(edges)]


def run_chunks(work: Callable[[int], None], chunks: int, threads: int) -> None:
    """Run `work(chunk)` for each chunk; the compiled part releases the GIL."""
    if threads <= 1 or chunks == 1:
        for chunk in range(chunks):
            work(chunk)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(chunks)))


@compiled
def add_scores(  # pragma: no cover - compiled
    codes: CodeArray,
    offsets: IntArray,
    numeric: FloatArray,
    centre: FloatArray,
    inverse_scale: FloatArray,
    outcome: FloatArray,
    weights: FloatArray,
    beta: FloatArray,
    first: int,
    last: int,
    eta: FloatArray,
    gradient: FloatArray,
) -> float:
    """Fill `eta[first:last]`, add the score vector of those rows to `gradient`; the log-likelihood of those rows."""
    factors, numbers = codes.shape[1], numeric.shape[1]
    numeric_slot = offsets[factors]
    x = np.empty(numbers)
    total = 0.0
    for i in range(first, last):
        s = beta[0]
        for j in range(factors):
            s += beta[offsets[j] + codes[i, j]]
        for j in range(numbers):
            x[j] = (numeric[i, j] - centre[j]) * inverse_scale[j]
            s += beta[numeric_slot + j] * x[j]
        eta[i] = s
        e = np.exp(-abs(s))
        p = 1.0 / (1.0 + e) if s >= 0.0 else e / (1.0 + e)
        total += weights[i] * (outcome[i] * s - max(s, 0.0) - np.log1p(e))
        residual = weights[i] * (outcome[i] - p)
        gradient[0] += residual
        for j in range(factors):
            gradient[offsets[j] + codes[i, j]] += residual
        for j in range(numbers):
            gradient[numeric_slot + j] += residual * x[j]
    return total


@compiled
def add_products(  # pragma: no cover - compiled
    codes: CodeArray,
    offsets: IntArray,
    numeric: FloatArray,
    centre: FloatArray,
    inverse_scale: FloatArray,
    row_weight: FloatArray,
    first: int,
    last: int,
    products: FloatArray,
) -> None:
    """Add X'WX of the rows to the upper triangle of `products`, every sum in the order of the rows.

    Products of numbers wait for four rows, so that a sum is read and written once for all of them.
    """
    factors, numbers = codes.shape[1], numeric.shape[1]
    numeric_slot = offsets[factors]
    slots = np.zeros(factors + 1, np.int64)
    x, wx = np.empty((4, numbers)), np.empty((4, numbers))
    mixed, inner = np.zeros((numeric_slot, numbers)), np.zeros((numbers, numbers))
    waiting = 0
    for i in range(first, last):
        w = row_weight[i]
        if w == 0.0:
            continue
        for j in range(factors):
            slots[j + 1] = offsets[j] + codes[i, j]
        for j in range(numbers):
            x[waiting, j] = (numeric[i, j] - centre[j]) * inverse_scale[j]
            wx[waiting, j] = w * x[waiting, j]
        for a in range(factors + 1):
            own, beside = products[slots[a]], mixed[slots[a]]
            for b in range(a, factors + 1):
                own[slots[b]] += w
            for j in range(numbers):
                beside[j] += wx[waiting, j]
        waiting += 1
        if waiting == 4:
            waiting = 0
            _add_four(wx, x, inner)
    for r in range(waiting):
        for j in range(numbers):
            for k in range(j, numbers):
                inner[j, k] += wx[r, j] * x[r, k]
    products[:numeric_slot, numeric_slot:] += mixed
    products[numeric_slot:, numeric_slot:] += inner


@compiled
def _add_four(wx: FloatArray, x: FloatArray, inner: FloatArray) -> None:  # pragma: no cover - compiled
    numbers = x.shape[1]
    for j in range(numbers):
        a, b, c, d = wx[0, j], wx[1, j], wx[2, j], wx[3, j]
        for k in range(j, numbers):
            inner[j, k] = (((inner[j, k] + a * x[0, k]) + b * x[1, k]) + c * x[2, k]) + d * x[3, k]


@compiled
def hash_rows(  # pragma: no cover - compiled
    codes: CodeArray, bits: npt.NDArray[np.uint64], out: npt.NDArray[np.uint64], first: int, last: int
) -> None:
    """A 64-bit hash of what each row holds: the same person gets the same hash wherever the row stands."""
    factors, numbers = codes.shape[1], bits.shape[1]
    for i in range(first, last):
        h = np.uint64(0x9E3779B97F4A7C15)
        for j in range(factors):
            h = (h ^ np.uint64(codes[i, j])) * np.uint64(0x100000001B3)
        for j in range(numbers):
            h = (h ^ bits[i, j]) * np.uint64(0xBF58476D1CE4E5B9)
            h ^= h >> np.uint64(29)
        h = (h ^ (h >> np.uint64(30))) * np.uint64(0x94D049BB133111EB)
        out[i] = h ^ (h >> np.uint64(31))


def hash_people(design: CodedDesign) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of each row of the design."""
    hashes = np.empty(design.rows, np.uint64)
    hash_rows(design.codes, design.numeric.view(np.uint64), hashes, 0, design.rows)
    return hashes


@compiled
def add_totals(  # pragma: no cover - compiled
    codes: CodeArray,
    offsets: IntArray,
    numeric: FloatArray,
    row_weight: FloatArray,
    first: int,
    last: int,
    totals: FloatArray,
) -> None:
    """Add X'w of the rows to `totals`, numbers as they are."""
    factors, numbers = codes.shape[1], numeric.shape[1]
    numeric_slot = offsets[factors]
    for i in range(first, last):
        w = row_weight[i]
        if w == 0.0:
            continue
        totals[0] += w
        for j in range(factors):
            totals[offsets[j] + codes[i, j]] += w
        for j in range(numbers):
            totals[numeric_slot + j] += w * numeric[i, j]


@compiled
def add_moments(  # pragma: no cover - compiled
    numeric: FloatArray, centre: FloatArray, first: int, last: int, moments: FloatArray
) -> None:
    """Add the deviations from `centre` of the rows to `moments[0]`, their squares to `moments[1]`."""
    for i in range(first, last):
        for j in range(numeric.shape[1]):
            deviation = numeric[i, j] - centre[j]
            moments[0, j] += deviation
            moments[1, j] += deviation * deviation


def number_moments(design: CodedDesign, centre: FloatArray, *, threads: int) -> FloatArray:
    """Mean deviation of each number from `centre` (first row) and mean squared deviation (second)."""
    numbers = len(design.numeric_names)
    bounds = chunk_bounds(design.rows, 2 * numbers)
    moments = np.zeros((len(bounds), 2, numbers))

    def work(chunk: int) -> None:
        add_moments(design.numeric, centre, *bounds[chunk], moments[chunk])

    run_chunks(work, len(bounds), threads)
    means: FloatArray = moments.sum(axis=0) / design.rows
    return means


def column_totals(design: CodedDesign, row_weight: FloatArray, *, threads: int) -> FloatArray:
    """Weighted total of every slot: total weight, weight at each level of each factor, weighted sums of the numbers."""
    slots = int(design.offsets[-1]) + len(design.numeric_names)
    bounds = chunk_bounds(design.rows, slots)
    totals, offsets = np.zeros((len(bounds), slots)), design.offsets

    def work(chunk: int) -> None:
        add_totals(design.codes, offsets, design.numeric, row_weight, *bounds[chunk], totals[chunk])

    run_chunks(work, len(bounds), threads)
    summed: FloatArray = totals.sum(axis=0)
    return summed
