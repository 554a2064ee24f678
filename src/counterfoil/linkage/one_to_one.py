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

    Every left and every right is in one linked pair at most. Where `candidates` say which pairs people ruled `apart`,
    none of those is given; but each still counts as somebody who comes as near, so another is never taken in its place.
    """
    if "apart" not in candidates.column_names:
        candidates = candidates.append_column("apart", pa.repeat(pa.scalar(value=False), candidates.num_rows))
    sql = f"""
        WITH ranked AS (
            SELECT "left", "right", weight, apart, row_number() OVER of_right AS right_place,
                CASE WHEN row_number() OVER of_left = 1 THEN lead(weight) OVER of_left
                     ELSE first_value(weight) OVER of_left END AS left_rival,
                CASE WHEN row_number() OVER of_right = 1 THEN lead(weight) OVER of_right
                     ELSE first_value(weight) OVER of_right END AS right_rival,
                first_value(apart) OVER of_right AS right_apart
            FROM candidates
            WINDOW of_left AS (PARTITION BY "left" ORDER BY weight DESC, "right"),
                   of_right AS (PARTITION BY "right" ORDER BY weight DESC, "left"))
        SELECT "left", "right", weight,
            CASE WHEN weight < {rule.threshold} THEN '{PairStatus.WEAK.value}'
                 WHEN weight - left_rival < {rule.within} THEN '{PairStatus.TIED.value}'
                 WHEN right_place = 1 AND coalesce(weight - right_rival >= {rule.within}, true)
                     THEN '{PairStatus.LINKED.value}'
                 WHEN right_rival - weight < {rule.within} OR right_apart THEN '{PairStatus.TIED.value}'
                 ELSE '{PairStatus.TAKEN.value}' END AS status
        FROM ranked WHERE NOT apart
        QUALIFY row_number() OVER (PARTITION BY "left" ORDER BY weight DESC, "right") = 1 ORDER BY "left"
    """
    return query(sql, {"candidates": candidates})
