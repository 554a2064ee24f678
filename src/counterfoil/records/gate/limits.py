"""How much of a file a lab takes before it stops reading (DISCLOSURE A6)."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000  # the unit people are told; 20 MB is 20,000,000 bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit of the upload gate and of the child process that reads. Bytes and seconds unless said."""

    file_bytes: int = 20 * MEGABYTE
    zip_entries: int = 200
    expanded_bytes: int = 200 * MEGABYTE  # counted while inflating: declared sizes lie
    expansion_ratio: int = 100  # expanded size to file size
    rows: int = 100_000
    columns: int = 200
    cell_characters: int = 32_767  # what a cell of a workbook can hold
    memory_bytes: int = 1 << 30  # address space of the child
    processor_seconds: int = 60
    wall_seconds: float = 60.0
    answer_bytes: int = 200 * MEGABYTE  # what the child may send back


DEFAULT_LIMITS = Limits()
