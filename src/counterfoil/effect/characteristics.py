"""The characteristics that outcomes are adjusted for, and what the models of several outcomes of the same people share.

Which columns can have a coefficient, their spreads and who steers a climb hang on the people and their weights alone:
they are found once, for the first outcome that asks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, TypeVar, cast

import numpy as np

from counterfoil.comparison.values import BoolArray, FloatArray, IntArray
from counterfoil.effect.columns import Columns, Narrowing, narrowing_to, plain_design
from counterfoil.logit import CodedDesign, column_totals
from counterfoil.logit.columns import candidate_slots
from counterfoil.logit.steering import Steering, draw_steering

UNEXPLAINED_SHARE = 1e-9  # of a column's square that the columns before it leave: less is rounding error
Found = TypeVar("Found")


class Once:
    """Values by what they were made from, each made once however many ask for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: dict[tuple[str, bytes], Any] = {}

    def get(self, what: str, of: FloatArray | BoolArray | IntArray, make: Callable[[], Found]) -> Found:
        """The value of this name made from this array."""
        key = what, of.tobytes()
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            return cast("Found", self._made[key])


@dataclass(frozen=True, slots=True, eq=False)
class Characteristics:
    """A coded design and which of its slots may have a coefficient, the intercept first; None: every one that can.

    Where only some may, a ridge takes each of them in its SD, levels of factors too.
    """

    design: CodedDesign
    slots: IntArray | None = None
    once: Once = field(default_factory=Once)
    own: Once = field(default_factory=Once, init=False)  # of these slots alone, and gone with them

    @property
    def candidates(self) -> IntArray:
        """The slots that may have a coefficient."""
        return candidate_slots(self.design) if self.slots is None else self.slots

    @property
    def are_finite(self) -> bool:
        """Whether every number is."""
        return self.once.get("finite", np.empty(0), lambda: bool(np.isfinite(self.design.numeric).all()))

    def only(self, slots: IntArray) -> Characteristics:
        """The same with a coefficient for these at most."""
        return replace(self, slots=slots)

    def take(self, rows: BoolArray) -> Characteristics:
        """The same of some of the rows."""
        some = self.once.get("rows", rows, lambda: Characteristics(self.design.take(np.flatnonzero(rows))))
        return replace(some, slots=self.slots)

    def with_first_number(self, name: str, values: FloatArray) -> Characteristics:
        """The same with one number more, before the others."""
        old = self.design
        numeric = np.ascontiguousarray(np.column_stack([values, old.numeric]))
        slots, first = self.slots, int(old.offsets[-1])
        if slots is not None:
            slots = np.concatenate([slots[slots < first], [first], slots[slots >= first] + 1])
        return Characteristics(CodedDesign(old.factors, old.codes, (name, *old.numeric_names), numeric), slots)

    def steering(self, weight: FloatArray) -> Steering | None:
        """Who steers a climb with `columns_of`."""
        found = self.once.get("steering", weight, lambda: draw_steering(self.design, weight))
        if found is None or self.slots is None:
            return found
        return replace(found, design=self.narrowing(self.slots).design.take(found.rows))

    def narrowing(self, slots: IntArray) -> Narrowing:
        """To the columns of these slots; the design is made narrower once."""
        return self.own.get("narrowing", slots, lambda: narrowing_to(self.design, slots))


def characteristics_of(covariates: FloatArray | CodedDesign | Characteristics | None, rows: int) -> Characteristics:
    """Covariates in whatever shape they were given."""
    return covariates if isinstance(covariates, Characteristics) else Characteristics(plain_design(covariates, rows))


def columns_of(given: Characteristics, weight: FloatArray) -> Columns:
    """The columns that can have a coefficient among those with a weight: not constant, no combination of earlier ones.

    Numbers are centred and divided by their SD over those rows, so that dollars and years are of one size.
    """
    every = given.once.get("columns", weight, lambda: _every_column(given.design, weight))
    if given.slots is None:
        return every.usual
    kept = given.slots[_independent(every.gram[np.ix_(given.slots, given.slots)])]
    return given.narrowing(given.slots).of(replace(every.usual, kept=kept, stretch=every.variance))


@dataclass(frozen=True, slots=True, eq=False)
class _Every:
    """`usual`: the columns where all may have a coefficient. `gram` and `variance` are of every slot."""

    usual: Columns
    gram: FloatArray
    variance: FloatArray  # of a level over those with a weight; 1 for numbers, which are in their SDs


def _every_column(design: CodedDesign, weight: FloatArray) -> _Every:
    used = weight > 0
    numbers = design.numeric[used]
    centre, deviation = numbers.mean(axis=0), numbers.std(axis=0)
    varies = deviation > np.abs(centre) * 1e-12
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
    slots = int(design.offsets[-1]) + len(numbers.T)
    whole = Columns(design, centre, scale, np.arange(slots), np.ones(slots))
    gram = whole.gram(weight / weight.sum())
    candidates = candidate_slots(design)
    kept = candidates[_independent(gram[np.ix_(candidates, candidates)])]
    share = column_totals(design, used.astype(np.float64), threads=1) / np.count_nonzero(used)
    variance = np.where(np.arange(slots) < design.offsets[-1], share * (1.0 - share), 1.0)
    return _Every(replace(whole, kept=kept), gram, variance)


def _independent(gram: FloatArray) -> IntArray:
    """The columns that those before them do not explain: an elimination that passes over the others."""
    kept: list[int] = []
    left = gram.copy()
    for j in range(len(gram)):
        if gram[j, j] > 0.0 and left[j, j] > UNEXPLAINED_SHARE * gram[j, j]:
            left -= np.outer(left[j] / left[j, j], left[j])
            kept.append(j)
    return np.array(kept, dtype=np.int64)
