"""Measures as data: what is counted, over whom, in what unit and in what words. A domain brings its own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from counterfoil.units import Kind


class Support(Enum):
    """Over whom a measure is taken."""

    ALL = "all"
    THOSE_WITH = "those with the outcome"  # time to first: reoffenders only (R9 applies)


class Better(Enum):
    """Which direction is the hoped-for one; words only, no arithmetic."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure. `column` names it in the outcomes table; a null there means the person is outside its support."""

    name: str  # "reoffending_rate"
    label: str  # "One-year proven reoffending rate"
    kind: Kind
    support: Support = Support.ALL
    better: Better = Better.LOWER
    unit: str = ""  # "reoffences a person"
    noun: str = ""  # what people do: "reoffended"; used in sentences
    decimals: int = 2  # of a shown value (rates are shown in whole per cent)
    exposure: str = ""  # column of the time at risk, where the value is for each unit of it
    over: str = ""  # who can be measured at all, where that may not be everyone compared; said beside the result
    part_of: str = ""  # "WHOLE by WHAT": it and its like add up to WHOLE, so that together they would give one away
    sum_of: tuple[str, ...] = ()  # measures that this one is the sum or difference of
