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
ABREAST = 4  # rows
MAX_CHUNK_NUMBERS = 8_000_000  # 64 MB of totals at most, for designs with very many columns


def chunk_bounds(rows: int, numbers_a_chunk: int) -> list[tuple[int, int]]:
    """(first, last) of each chunk; a function of the sizes only, never of the thread count."""
    chunks = min(MAX_CHUNKS, -(-rows // ROWS_A_CHUNK), MAX_CHUNK_NUMBERS // max(numbers_a_chunk, 1))
    edges = np.linspace(0, rows, max(chunks, 1) + 1).astype(np.int64)
    return [(int(first), int(last)) for first, last in pairwise(edges)]


def run_chunks(work: Callable[[int], None], chunks: int, threads: int) -> None:
    """Run `work(chunk)` for each chunk; the compiled part releases the GIL. Whoever asks works too."""
    helpers, left = min(threads, chunks) - 1, iter(range(chunks))

    def work_off() -> None:
        for chunk in left:
            work(chunk)

    if helpers < 1:
        work_off()
        return
    with ThreadPoolExecutor(helpers) as pool:
        begun = [pool.submit(work_off) for _ in range(helpers)]
        work_off()
        for each in begun:
            each.result()


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
    x, s, of_numbers = np.empty((ABREAST, numbers)), np.empty(ABREAST), np.zeros(numbers)
    total = 0.0
    for start in range(first, last, ABREAST):
        rows = min(ABREAST, last - start)
        _predict(codes, offsets, numeric, centre, inverse_scale, beta, start, rows, x, s)
        for r in range(rows):
            i, own = start + r, s[r]
            eta[i] = own
            e = np.exp(-abs(own))
            p = 1.0 / (1.0 + e) if own >= 0.0 else e / (1.0 + e)
            total += weights[i] * (outcome[i] * own - max(own, 0.0) - np.log1p(e))
            residual = weights[i] * (outcome[i] - p)
            gradient[0] += residual
            for j in range(factors):
                gradient[np.uint64(offsets[j] + codes[i, j])] += residual
            own_x = x[r]
            for j in range(numbers):
                of_numbers[j] += residual * own_x[j]
    gradient[numeric_slot:] += of_numbers
    return total


@compiled
def add_log_scores(  # pragma: no cover - compiled
    codes: CodeArray,
    offsets: IntArray,
    numeric: FloatArray,
    centre: FloatArray,
    inverse_scale: FloatArray,
    outcome: FloatArray,
    weights: FloatArray,
    offset: FloatArray,
    highest: float,
    beta: FloatArray,
    eta: FloatArray,
    gradient: FloatArray,
) -> float:
    """As `add_scores` for all rows and a log-linear mean (`offset` is added to the predictor); rows without a weight
    are predicted only. A mean is at most e to `highest`."""
    factors, numbers = codes.shape[1], numeric.shape[1]
    numeric_slot = offsets[factors]
    x, s, of_numbers = np.empty((ABREAST, numbers)), np.empty(ABREAST), np.zeros(numbers)
    total = 0.0
    for start in range(0, len(eta), ABREAST):
        rows = min(ABREAST, len(eta) - start)
        _predict(codes, offsets, numeric, centre, inverse_scale, beta, start, rows, x, s)
        for r in range(rows):
            i = start + r
            own = s[r] + offset[i]
            eta[i] = own
            if weights[i] == 0.0:
                continue
            total += weights[i] * (outcome[i] * own - np.exp(own))
            residual = weights[i] * (outcome[i] - np.exp(min(own, highest)))
            gradient[0] += residual
            for j in range(factors):
                gradient[np.uint64(offsets[j] + codes[i, j])] += residual
            own_x = x[r]
            for j in range(numbers):
                of_numbers[j] += residual * own_x[j]
    gradient[numeric_slot:] += of_numbers
    return total


@compiled
def _predict(  # pragma: no cover - compiled
    codes: CodeArray,
    offsets: IntArray,
    numeric: FloatArray,
    centre: FloatArray,
    inverse_scale: FloatArray,
    beta: FloatArray,
    start: int,
    rows: int,
    x: FloatArray,
    s: FloatArray,
) -> None:
    """The standardised numbers of some rows and their linear predictors, each summed in the order of the columns.

    Rows go abreast: a sum waits for its last addition, and meanwhile the others go on.
    """
    factors, numbers = codes.shape[1], numeric.shape[1]
    numeric_slot = offsets[factors]
    for r in range(rows):
        s[r] = beta[0]
        for j in range(factors):
            s[r] += beta[np.uint64(offsets[j] + codes[start + r, j])]
        row, own_x = numeric[start + r], x[r]
        for j in range(numbers):
            own_x[j] = (row[j] - centre[j]) * inverse_scale[j]
    if rows == ABREAST:
        a, b, c, d = s[0], s[1], s[2], s[3]
        for j in range(numbers):
            own = beta[numeric_slot + j]
            a += own * x[0, j]
            b += own * x[1, j]
            c += own * x[2, j]
            d += own * x[3, j]
        s[0], s[1], s[2], s[3] = a, b, c, d
        return
    for r in range(rows):
        for j in range(numbers):
            s[r] += beta[numeric_slot + j] * x[r, j]


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

    Products of numbers wait for four rows, so that a sum is read and written once for all of them. Slots are unsigned:
    of a number with a sign it would be asked at each use whether it counts from the end.
    """
    factors, numbers = codes.shape[1], numeric.shape[1]
    numeric_slot = offsets[factors]
    slots = np.zeros(factors + 1, np.uint64)
    x, wx = np.empty((4, numbers)), np.empty((4, numbers))
    mixed, inner = np.zeros((numeric_slot, numbers)), np.zeros((numbers, numbers))
    waiting = 0
    for i in range(first, last):
        w = row_weight[i]
        if w == 0.0:
            continue
        for j in range(factors):
            slots[j + 1] = np.uint64(offsets[j] + codes[i, j])
        row, own_x, own_wx = numeric[i], x[waiting], wx[waiting]
        for j in range(numbers):
            own_x[j] = (row[j] - centre[j]) * inverse_scale[j]
            own_wx[j] = w * own_x[j]
        for a in range(factors + 1):
            own, beside = products[slots[a]], mixed[slots[a]]
            for b in range(a, factors + 1):
                own[slots[b]] += w
            for j in range(numbers):
                beside[j] += own_wx[j]
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
    """Of parts that begin at 0, so that their numbers are taken several at once."""
    for j in range(x.shape[1]):
        a, b, c, d = wx[0, j], wx[1, j], wx[2, j], wx[3, j]
        own, p, q, r, s = inner[j, j:], x[0, j:], x[1, j:], x[2, j:], x[3, j:]
        for k in range(own.size):
            own[k] = (((own[k] + a * p[k]) + b * q[k]) + c * r[k]) + d * s[k]


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
            totals[np.uint64(offsets[j] + codes[i, j])] += w
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
