"""One person of one side to one of the other, with ties declared instead of guessed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import pyarrow as pa

from counterfoil.warehouse import query


class PairStatus(Enum):
    """What became of the best pair of one person of the left side."""

    LINKED = "linked"
    TIED = "tied"  # somebody else, of either side, comes as near
    TAKEN = "taken"  # the other one is nearer to somebody else
    WEAK = "weak"  # below the threshold


@dataclass(frozen=True, slots=True)
class OneToOne:
    """In bits: a pair is linked from `threshold` on, when no rival of either side comes `within` so many of it."""

    threshold: float
    within: float


def assign(candidates: pa.Table, rule: OneToOne) -> pa.Table:
    """left, right, weight, status: the best pair of each `left` of `candidates` (left, right, weight), ordered by left.

    Every left and every right is in one linked pair at most.
    """
    sql = f"""
        WITH ranked AS (
            SELECT "left", "right", weight,
                row_number() OVER of_left AS left_place, lead(weight) OVER of_left AS left_next,
                row_number() OVER of_right AS right_place, first_value(weight) OVER of_right AS right_best,
                lead(weight) OVER of_right AS right_next
            FROM candidates
            WINDOW of_left AS (PARTITION BY "left" ORDER BY weight DESC, "right"),
                   of_right AS (PARTITION BY "right" ORDER BY weight DESC, "left"))
        SELECT "left", "right", weight,
            CASE WHEN weight < {rule.threshold} THEN '{PairStatus.WEAK.value}'
                 WHEN weight - left_next < {rule.within} THEN '{PairStatus.TIED.value}'
                 WHEN right_place = 1 AND coalesce(weight - right_next >= {rule.within}, true)
                     THEN '{PairStatus.LINKED.value}'
                 WHEN right_best - weight < {rule.within} THEN '{PairStatus.TIED.value}'
                 ELSE '{PairStatus.TAKEN.value}' END AS status
        FROM ranked WHERE left_place = 1 ORDER BY "left"
    """
    return query(sql, {"candidates": candidates})
