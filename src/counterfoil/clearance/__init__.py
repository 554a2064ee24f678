"""May a report leave the lab: who submits, checks and clears it, and the bytes that two people approved."""

from __future__ import annotations

from counterfoil.clearance.actions import cleared, mark_corrected, mark_published, read_record
from counterfoil.clearance.moves import TABLE, Move, State
from counterfoil.clearance.people import Signer
from counterfoil.clearance.release import Release

__all__ = [
    "TABLE",
    "Move",
    "Release",
    "Signer",
    "State",
    "cleared",
    "mark_corrected",
    "mark_published",
    "read_record",
]
