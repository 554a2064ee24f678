"""The intruder audit (R13), its repair (R14, R15), and the language in which publications are audited."""

from counterfoil.disclosure.intruder.attacks import explain, find_attacks
from counterfoil.disclosure.intruder.audit import Attack, Audit, Breach, Interval, Looked, audit, join, look
from counterfoil.disclosure.intruder.kept import read_publication, write_publication
from counterfoil.disclosure.intruder.limits import Limits
from counterfoil.disclosure.intruder.merging import ProtectedCounts, protect_counts
from counterfoil.disclosure.intruder.people import find_atoms
from counterfoil.disclosure.intruder.questions import Questions
from counterfoil.disclosure.intruder.repair import Repaired, hide, repair
from counterfoil.disclosure.intruder.statements import (
    PEOPLE,
    AddsUp,
    Between,
    Counts,
    Difference,
    Exact,
    Known,
    Line,
    OneOf,
    Outcome,
    Piece,
    Pieces,
    Publication,
    Rounded,
    Share,
    Statement,
    Truth,
    Weighted,
    Withheld,
)
from counterfoil.disclosure.intruder.system import find_cap
from counterfoil.disclosure.intruder.tables import CountTable, find_unsafe, publish_table, truth_of
from counterfoil.disclosure.intruder.targets import Target, find_targets

__all__ = [
    "PEOPLE",
    "AddsUp",
    "Attack",
    "Audit",
    "Between",
    "Breach",
    "CountTable",
    "Counts",
    "Difference",
    "Exact",
    "Interval",
    "Known",
    "Limits",
    "Line",
    "Looked",
    "OneOf",
    "Outcome",
    "Piece",
    "Pieces",
    "ProtectedCounts",
    "Publication",
    "Questions",
    "Repaired",
    "Rounded",
    "Share",
    "Statement",
    "Target",
    "Truth",
    "Weighted",
    "Withheld",
    "audit",
    "explain",
    "find_atoms",
    "find_attacks",
    "find_cap",
    "find_targets",
    "find_unsafe",
    "hide",
    "join",
    "look",
    "protect_counts",
    "publish_table",
    "read_publication",
    "repair",
    "truth_of",
    "write_publication",
]
