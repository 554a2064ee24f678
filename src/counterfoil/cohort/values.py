"""What selection counts. Steps are for inside the lab; what is shown of them is R11's affair."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Step(Enum):
    """The internal steps of attrition, in order (METHODS 2)."""

    SUBMITTED = "submitted"
    VALID = "valid"
    ONE_ROW_A_PERSON = "one row a person"
    LINKED = "linked"
    INDEX_EVENT_FOUND = "index event found"
    INSIDE_YEARS = "inside the years loaded"
    ELIGIBLE = "eligible"
    NO_OFFENCE_BEFORE_START = "no offence before the start"
    HAS_REGISTER_ROW = "has a register row"
    ON_SUPPORT = "on common support"
    MATCHED = "matched"


class Group(Enum):
    """What the provider's list says of a person (EVALUATION A13)."""

    TREATED = "treated"  # took part
    REFUSED = "refused"  # applied, and was turned down
    WAITING = "waiting"  # applied, and was still waiting when the list was made


@dataclass(frozen=True, slots=True)
class Attrition:
    """People left after each step; never increasing. A step that does not apply is absent."""

    people: dict[Step, int]
    started: int | None = None  # people who started the service, as the provider says in the plan (R1's S)
