"""One reviewer at work, without a screen: which pair is up, what a key does. The screen and the plain lines draw it."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum

from counterfoil.linkage.review import session
from counterfoil.linkage.review.decisions import Kept
from counterfoil.linkage.review.session import Review
from counterfoil.linkage.review.showing import ReviewItem
from counterfoil.linkage.review.values import Answer, Item, Pair

_AHEAD = 20  # pairs read at once: one look into the tables for all


class View(Enum):
    """What the middle of the screen shows."""

    RECORDS = "records"
    WATERFALL = "waterfall"
    HELP = "help"


KEYS: dict[str, tuple[Answer, bool]] = {
    "y": (Answer.SAME, False),
    "n": (Answer.DIFFERENT, False),
    "?": (Answer.CANNOT_TELL, False),
    "Y": (Answer.SAME, True),
    "N": (Answer.DIFFERENT, True),
}
HELP = (
    ("y", "the same person"),
    ("n", "two different people"),
    ("?", "cannot tell"),
    ("Y  N", "as y and n, and ruled: an override at once, whatever the model says"),
    ("u", "undo your last answer, and the override that came of it"),
    ("w", "the weight of the pair, comparison by comparison; again to go back"),
    ("h", "this page; again to go back"),
    ("q", "stop; every answer is kept already"),
)
SAID = {Answer.SAME: "the same person", Answer.DIFFERENT: "different people", Answer.CANNOT_TELL: "cannot tell"}


class Desk:
    """Mutable on purpose: it is the state of one sitting. Nothing in it outlives the process; answers do."""

    def __init__(
        self, review: Review, reviewer: str, *, limit: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.review, self.reviewer, self._clock = review, reviewer, clock
        open_ = len(session.open_items(review, reviewer))
        self.planned = open_ if limit is None else min(limit, open_)
        self.done = 0
        self.view = View.RECORDS
        self.message = ""
        self._ready: dict[Pair, ReviewItem] = {}
        self.current: ReviewItem | None = None
        self._started = 0.0
        self._next()

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to ask."""
        return self.current is None

    @property
    def place(self) -> str:
        """n of N."""
        return f"{min(self.done + 1, self.planned):,} of {self.planned:,}"

    def press(self, key: str) -> bool:
        """Do what a key says; False when the sitting ends."""
        self.message = ""
        if key == "q":
            return False
        if key in ("w", "h"):
            wanted = View.WATERFALL if key == "w" else View.HELP
            self.view = View.RECORDS if self.view is wanted else wanted
        elif key == "u":
            self._undo()
        elif key in KEYS and self.current is not None:
            self._answer(*KEYS[key])
        else:
            self.message = "That key does nothing here. Press h for help."
        return True

    def _answer(self, answer: Answer, rules: bool) -> None:
        if self.current is None:
            return
        seconds = self._clock() - self._started
        item = self.current.item
        kept = session.answer(self.review, item, self.reviewer, answer, seconds=seconds, rules=rules)
        self.done += 1
        self.message = f"Kept: {SAID[answer]}.{_consequence(kept, item)}"
        self._next()

    def _undo(self) -> None:
        if self.done == 0:
            self.message = "Nothing of this sitting is left to undo."
            return
        item = session.undo(self.review, self.reviewer)
        self.done -= 1
        self.message = "Taken back: your last answer."
        self._next(item)

    def _next(self, item: Item | None = None) -> None:
        """Put a pair up: the one given, or the next that is open; none when the sitting's limit is reached."""
        self.view, self.current = View.RECORDS, None
        if self.done < self.planned:
            waiting = session.open_items(self.review, self.reviewer)
            first = item or next(iter(waiting), None)
            if first is not None:
                self._read(first, waiting)
                self.current = self._ready[first.pair]
        self._started = self._clock()

    def _read(self, first: Item, waiting: tuple[Item, ...]) -> None:
        known = self._ready.get(first.pair)
        if known is not None and known.item == first:
            return
        batch = list(dict.fromkeys([first, *waiting[:_AHEAD]]))
        self._ready = {each.item.pair: each for each in session.show_items(self.review, batch)}


def _consequence(kept: Kept, item: Item) -> str:
    if item.pair in kept.opposed:
        return " An override in force says the opposite; it stands until somebody withdraws it."
    return " It is an override now." if kept.overrides else ""
