"""A cell that may be shown, the shorthand and the rule that stand for it, and the key that makes what may be shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from counterfoil.errors import Fault

MAKER = object()  # the key that `protect` and `refuse` hold; nothing else in the package may use it


class Shown(Enum):
    """Shorthand that stands where a number may not or cannot stand (the government's symbols for tables)."""

    SUPPRESSED = "[c]"
    NOT_APPLICABLE = "[z]"
    NOT_AVAILABLE = "[x]"
    LOW = "[low]"


class Rule(Enum):
    """The rule that hid something."""

    R1 = "R1"
    R2 = "R2"
    R3 = "R3"
    R4 = "R4"
    R6 = "R6"
    R7 = "R7"
    R8 = "R8"
    R9 = "R9"
    R11 = "R11"
    R13 = "R13"
    R17 = "R17"
    R30 = "R30"


class Box(Enum):
    """The four boxes of the public flow (R11)."""

    SUBMITTED = "submitted"
    IN_SCOPE = "linked and in scope"
    COMPARABLE = "comparable"
    ANALYSED = "analysed"


@dataclass(frozen=True, slots=True)
class Cell:
    """A number rounded once to `decimals`, or the shorthand that stands for it and the rule that hid it."""

    value: float | None
    decimals: int = 0
    shown: Shown | None = None
    rule: Rule | None = None
    at_least: bool = False  # the value is a lower bound
    about: bool = False  # the value is rounded to the base

    def __post_init__(self) -> None:
        """A number or a shorthand, never both and never neither."""
        if (self.value is None) is (self.shown is None):
            raise Fault("A cell must hold either a number or a shorthand. Report this as a fault of the program.")


def hidden(rule: Rule) -> Cell:
    """A cell that `rule` hides."""
    return Cell(value=None, shown=Shown.SUPPRESSED, rule=rule)


NOT_APPLICABLE = Cell(value=None, shown=Shown.NOT_APPLICABLE)
NOT_AVAILABLE = Cell(value=None, shown=Shown.NOT_AVAILABLE)


def check_maker(maker: object, what: object) -> None:
    """Only `disclosure` makes what may be shown."""
    if maker is not MAKER:
        raise Fault(
            f"{type(what).__name__} was made outside disclosure. Only protect() and refuse() make what may be shown."
        )
