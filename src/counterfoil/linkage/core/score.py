"""Score every candidate pair of an encoded table, on several threads, within a bound of memory."""

from __future__ import annotations

import itertools
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.errors import Fault
from counterfoil.lab.progress import Progress, silent
from counterfoil.linkage.core.blocks import Block, block
from counterfoil.linkage.core.cells import give_back
from counterfoil.linkage.core.encode import Encoded
from counterfoil.linkage.core.kernel import Memo, Out, Own, Side, new_memo, new_out, score_places
from counterfoil.linkage.core.layout import Flags, Ints, Longs
from counterfoil.linkage.core.order import chosen_order, usual_order
from counterfoil.linkage.core.screens import screens_of
from counterfoil.linkage.core.splink_json import CoreModel
from counterfoil.warehouse import connect

UNIT_PAIRS = 2_000_000  # candidate pairs that a thread takes at a time
OUT_PAIRS = 1 << 17  # kept pairs that a thread holds before it hands them over
_ROW_BYTES = 4 + 4 + 8 + 8 + 2
_HELD_SHARE = 0.25  # of the memory that kept pairs may take before they spill

Part = Sequence[npt.NDArray[Any]]
COLUMNS = ("left", "right", "match_weight", "levels", "rule")


@dataclass(frozen=True, slots=True)
class Scored:
    """Pairs of record numbers (left < right), ordered; `match_weight` in bits with the prior.

    `levels` holds four bits a comparison, the first highest; `rule` is the first blocking rule that made the pair.
    `candidates` counts, by rule, the pairs that were scored.
    """

    pairs: pa.Table
    candidates: tuple[int, ...]
    ruled_out: int


@dataclass(slots=True)
class _Counts:
    scored: list[int]
    ruled_out: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def score(
    encoded: Encoded,
    model: CoreModel,
    *,
    threshold: float,
    groups: Ints | None = None,
    fresh: Flags | None = None,
    threads: int = 2,
    memory: int = 8 * 10**9,
    progress: Progress = silent,
) -> Scored:
    """Pairs that weigh `threshold` or more. `memory` in bytes: kept pairs beyond a quarter of it lie on disk.

    `groups`: one number a record; only pairs of different numbers. `fresh`: only pairs with a fresh record. The answer
    does not depend on `threads` or `memory`. Fault when the disk is full.
    """
    give_back()
    counts, usual = _Counts([0] * len(model.rules)), own_of(encoded, model)
    with _Kept(int(memory * _HELD_SHARE)) as kept:
        for rule in range(len(model.rules)):
            progress(f"Comparing: rule {rule + 1} of {len(model.rules)}", rule / len(model.rules))
            ordered = block(encoded, rule, fresh)
            if ordered.pairs:
                for part in _rule_parts(encoded, model, ordered, threshold, groups, fresh, threads, counts, usual):
                    kept.add(part, rule)
        pairs = kept.table(threads)
    return Scored(pairs, tuple(counts.scored), counts.ruled_out)


def own_of(encoded: Encoded, model: CoreModel) -> Own:
    """What the loop needs of single tuples."""
    known = screens_of(model, encoded.values, encoded.first_tuple)
    order = usual_order(model, encoded.best)
    return Own(
        first=encoded.first_tuple,
        level=encoded.own_level,
        weight=encoded.own_weight,
        best=encoded.best,
        order=order,
        start=known.start,
        apart=known.apart,
        screened=known.kind,
        need=known.need,
        screen=known.screen,
    )


def _rule_parts(
    encoded: Encoded,
    model: CoreModel,
    ordered: Block,
    threshold: float,
    groups: Ints | None,
    fresh: Flags | None,
    threads: int,
    counts: _Counts,
    usual: Own,
) -> Iterator[Part]:
    """Kept pairs of one rule, in the order of its places whatever thread made them."""
    left = side_of(encoded, ordered.left, ordered.rule, groups, fresh)
    right = left if ordered.one_order else side_of(encoded, ordered.right, ordered.rule, groups, fresh)
    own = usual._replace(order=chosen_order(model, encoded.values, ordered, left, right, usual, threshold))
    local = threading.local()

    def work(first: int, last: int) -> list[Part]:
        memo, out = _buffers(local, len(model.comparisons))
        counted, level = np.zeros(2, np.int64), np.zeros(len(model.comparisons), np.int64)
        p, q = first, -1
        found: list[Part] = []
        while p < last:
            kept, p, q = score_places(
                p, last, q, ordered.low, ordered.high, left, right, ordered.one_order, ordered.rule,
                model.program, model.weights, encoded.values, own, threshold, memo, out, counted, level,
            )  # fmt: skip
            if kept:
                found.append([column[:kept].copy() for column in out])
        with counts.lock:
            counts.scored[ordered.rule] += int(counted[0])
            counts.ruled_out += int(counted[1])
        return found

    with ThreadPoolExecutor(threads) as pool:
        yield from _in_order(pool, work, units(ordered), threads)


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[int, int], list[Part]], parts: Sequence[tuple[int, int]], threads: int
) -> Iterator[Part]:
    """Results in the order of the parts; only a few are made before they are taken."""
    waiting: list[Future[list[Part]]] = []
    for first, last in parts:
        waiting.append(pool.submit(work, first, last))
        if len(waiting) > 2 * threads:
            yield from waiting.pop(0).result()
    for future in waiting:
        yield from future.result()


def _buffers(local: threading.local, comparisons: int) -> tuple[Memo, Out]:
    if not hasattr(local, "buffers"):
        local.buffers = new_memo(comparisons), new_out(OUT_PAIRS)
    found: tuple[Memo, Out] = local.buffers
    return found


def side_of(encoded: Encoded, records: Ints, earlier: int, groups: Ints | None, fresh: Flags | None) -> Side:
    """The table in the order of a block, so that the loop reads memory from end to end."""
    left = np.ascontiguousarray(encoded.left_keys[:earlier, records].T)
    same = encoded.left_keys is encoded.right_keys
    return Side(
        tuple_of=np.ascontiguousarray(encoded.tuple_of[:, records].T),
        left_keys=left,
        right_keys=left if same else np.ascontiguousarray(encoded.right_keys[:earlier, records].T),
        record=records,
        group=np.zeros(0, np.int32) if groups is None else groups[records].astype(np.int32),
        fresh=np.zeros(0, np.bool_) if fresh is None else fresh[records],
    )


def units(ordered: Block, pairs: int = UNIT_PAIRS) -> list[tuple[int, int]]:
    """Ranges of places with about so many pairs each."""
    upto: Longs = np.concatenate([[0], np.cumsum(ordered.high - ordered.low)])
    cuts = np.searchsorted(upto, np.arange(0, int(upto[-1]), pairs))
    ends = sorted({*cuts.tolist(), len(ordered.low)})
    return list(itertools.pairwise(ends))


class _Kept:
    """Kept pairs: in memory up to a bound, then in Arrow files of a temporary folder."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._held: list[pa.RecordBatch] = []
        self._bytes = 0
        self._files: list[Path] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> _Kept:
        return self

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def add(self, part: Part, rule: int) -> None:
        columns = [pa.array(column) for column in part]
        columns.append(pa.array(np.full(len(part[0]), rule, np.int16)))
        self._held.append(pa.record_batch(columns, names=list(COLUMNS)))
        self._bytes += len(part[0]) * _ROW_BYTES
        if self._bytes > self._bound:
            self._spill()

    def _spill(self) -> None:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="pairs-")
        file = Path(self._folder.name) / f"{len(self._files):06}.arrow"
        try:
            with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, self._held[0].schema) as writer:
                for batch in self._held:
                    writer.write_batch(batch)
        except OSError as error:
            raise disk_full(self._bytes) from error
        self._files.append(file)
        self._held, self._bytes = [], 0

    def table(self, threads: int) -> pa.Table:
        """All of them, ordered by left and right."""
        if self._folder is None:
            return ordered_by_ids(_whole(self._held))
        if self._held:
            self._spill()
        return self._sorted_on_disk(Path(self._folder.name), threads)

    def _sorted_on_disk(self, folder: Path, threads: int) -> pa.Table:
        """The file that is read stays until nobody reads it, though its name goes with the folder."""
        target = folder / "sorted.arrow"
        parts = [pa.ipc.open_file(pa.memory_map(str(file))).read_all() for file in self._files]
        needed = sum(file.stat().st_size for file in self._files)
        connection = connect(threads=threads, memory_limit=f"{max(self._bound // 10**6, 128)}MB")
        try:
            connection.register("parts", pa.concat_tables(parts))
            reader = connection.sql('SELECT * FROM parts ORDER BY "left", "right"').to_arrow_reader(100_000)
            with pa.OSFile(str(target), "wb") as sink, pa.ipc.new_file(sink, reader.schema) as writer:
                for batch in reader:
                    writer.write_batch(batch)
        except (OSError, duckdb.Error) as error:
            raise disk_full(needed) from error
        finally:
            connection.close()
        return pa.ipc.open_file(pa.memory_map(str(target))).read_all()


def _whole(batches: Sequence[pa.RecordBatch]) -> pa.Table:
    schema = pa.schema(
        [("left", pa.int32()), ("right", pa.int32()), ("match_weight", pa.float64()), ("levels", pa.uint64()),
         ("rule", pa.int16())]
    )  # fmt: skip
    return pa.Table.from_batches(batches, schema)


def ordered_by_ids(pairs: pa.Table) -> pa.Table:
    """By left, then by right."""
    if not pairs.num_rows:
        return pairs
    key = pairs["left"].to_numpy().astype(np.int64) << 32 | pairs["right"].to_numpy()
    return pairs.take(pa.array(np.argsort(key, kind="stable")))


def disk_full(needed: int) -> Fault:
    """What to say when a temporary file cannot be written."""
    return Fault(
        f"The pairs that were found do not fit in memory, and the temporary folder {tempfile.gettempdir()} cannot take "
        f"{max(needed // 10**6, 1):,} MB of them. Free space there, or raise `memory` in lab.toml, and run again; "
        "nothing that was there before has changed."
    )
