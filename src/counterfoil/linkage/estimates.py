"""What a run will take, told before it starts: pairs, largest blocks, memory; refused when it cannot fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from counterfoil.errors import Refused
from counterfoil.linkage.blocking import RuleCount
from counterfoil.linkage.core_engine import bytes_of
from counterfoil.linkage.specification import Specification

_PROGRAM = 450_000_000  # bytes of the program itself, its libraries and compiled code, and DuckDB's own
_HELD = 3  # copies of the prepared records: Arrow's, the encoded values, and one being made
_CODE = 4  # bytes of a value's number
_PLACE = 8  # bytes of an offset
_GB = 10**9


@dataclass(frozen=True, slots=True)
class Estimate:
    """`pairs` is an upper bound: one that several rules make counts in each. `memory` (bytes) is of what cannot spill.

    It is worked out from the sizes of the arrays; `make bench-linkage` measured 0.42, 0.71 and 3.66 GB for 100,000, a
    million and ten million records of five comparisons and five rules, where this says 0.48, 0.78 and 3.75.
    """

    records: int
    pairs: int
    rules: tuple[RuleCount, ...]
    hot_blocks: tuple[Mapping[str, Any], ...]
    memory: int

    def about(self) -> Mapping[str, Any]:
        """For the quality report."""
        return {
            "records": self.records,
            "pairs_at_most": self.pairs,
            "memory_bytes": self.memory,
            "rules": [asdict(rule) for rule in self.rules],
        }

    def lines(self) -> list[str]:
        """As sentences: the whole, the rule that makes most pairs, and what is cut. Never a value."""
        most = max(self.rules, key=lambda rule: rule.pairs, default=None)
        said = [f"{self.records:,} records, at most {self.pairs:,} pairs, about {self.memory / _GB:.1f} GB of memory"]
        if most is not None and most.pairs:
            said.append(
                f"Most pairs: {most.rule}, {most.pairs:,}; its largest block has {most.largest_block:,} records"
            )
        for hot in self.hot_blocks:
            said.append(
                f"Cut: {hot['blocks']:,} block(s) of {hot['rule']} are over its cap, the largest with "
                f"{hot['largest']:,} records"
            )
        return said


def estimate(
    prepared: pa.Table,
    counts: Sequence[RuleCount],
    hot_blocks: Sequence[Mapping[str, Any]],
    specification: Specification,
    *,
    size: int | None = None,
) -> Estimate:
    """Before any pair is made. `size`: of the prepared records in bytes, where they may lie otherwise in memory."""
    wide = _CODE * len(specification.comparisons) + 2 * (_CODE + _PLACE) * len(specification.rules)
    memory = _PROGRAM + _HELD * (prepared.nbytes if size is None else size) + wide * prepared.num_rows
    return Estimate(prepared.num_rows, sum(count.pairs for count in counts), tuple(counts), tuple(hot_blocks), memory)


def check_memory(found: Estimate, memory: str) -> None:
    """Refused when what cannot spill is more than the lab's `memory`."""
    if found.memory > bytes_of(memory):
        raise Refused(
            f"Linking {found.records:,} records needs about {found.memory / _GB:.1f} GB of memory that cannot lie on "
            f"disk, and this lab may use {memory}. Raise `memory` in lab.toml, or link on a larger machine.",
            rule="memory",
        )
