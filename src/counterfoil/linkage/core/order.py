"""In which order a pair's comparisons are made: the one that rules pairs out for the least work.

A pair is ruled out as soon as it could not reach the threshold even if every comparison not yet made told the most it
can. Whether it is depends on which comparisons were made and not on their order. So the best order follows from a
sample of a rule's pairs, by the least cost over sets of comparisons. The answer is the same in any order; only the time
differs.
"""

from __future__ import annotations

import numpy as np

from counterfoil.linkage.core.blocks import Block
from counterfoil.linkage.core.compiling import compiled_lean
from counterfoil.linkage.core.interpret import CELL, DISTANCE, LEVENSHTEIN, OPERATION, PAIR, adjustment, as_long
from counterfoil.linkage.core.kernel import SLACK, Memo, Own, Side, level_with_memo_apart, new_memo
from counterfoil.linkage.core.layout import Flags, Floats, Longs, Program, Values, Weights
from counterfoil.linkage.core.splink_json import CoreModel

SAMPLE = 2_048  # pairs of a rule
FEWEST_PAIRS = 200_000  # of a rule; with fewer, choosing takes longer than it saves
MOST_COMPARISONS = 10  # of a model; the sets of more are too many to weigh
_MANY_TUPLES = 1 << 16  # more than the processor keeps at hand


def usual_order(model: CoreModel, best: Floats) -> Longs:
    """Comparisons that cost least first, then those that can tell most bits."""
    base, count = model.weights.base, len(model.comparisons)
    spread = [best[c] - base[c, : int(model.program.levels[c])].min() for c in range(count)]
    dear = [_is_dear(model, c) for c in range(count)]
    return np.lexsort((-np.array(spread), np.array(dear))).astype(np.int64)


def chosen_order(
    model: CoreModel, values: Values, ordered: Block, left: Side, right: Side, own: Own, threshold: float
) -> Longs:
    """The order for one rule; the usual one where the rule makes few pairs or the model has many comparisons."""
    if ordered.pairs < FEWEST_PAIRS or len(model.comparisons) > MOST_COMPARISONS:
        return own.order
    place, at = _sample(ordered)
    lost, most = np.zeros((place.size, len(model.comparisons))), np.zeros(place.size)
    losses(place, at, left, right, model.program, model.weights, values, own, new_memo(len(lost[0])), lost, most)
    return cheapest(lost, most - (threshold - SLACK), costs_of(model, values))


def _sample(ordered: Block) -> tuple[Longs, Longs]:
    """Places of pairs that lie evenly over all that the rule makes."""
    upto = np.concatenate([[0], np.cumsum(ordered.high - ordered.low)])
    number = ((np.arange(SAMPLE) + 0.5) * (upto[-1] / SAMPLE)).astype(np.int64)
    place = np.searchsorted(upto, number, side="right") - 1
    return place, ordered.low[place] + number - upto[place]


@compiled_lean
def losses(
    place: Longs,
    at: Longs,
    left: Side,
    right: Side,
    program: Program,
    weights: Weights,
    values: Values,
    own: Own,
    memo: Memo,
    lost: Floats,
    most: Floats,
) -> None:
    """For each pair the most it could weigh before anything is compared, and what each comparison takes from that.

    `lost` (pairs, C), NaN where a comparison is known without being made.
    """
    for k in range(place.size):
        p, q = place[k], at[k]
        most[k] = weights.prior
        for c in range(program.levels.size):
            x, y = as_long(left.tuple_of[p, c]), as_long(right.tuple_of[q, c])
            if x < 0 or y < 0:
                most[k] += weights.base[c, program.absent_level[c]]
                lost[k, c] = np.nan
            elif x == y:
                most[k] += own.weight[own.first[c] + x]
                lost[k, c] = np.nan
            else:
                if left.record[p] > right.record[q]:
                    x, y = y, x
                level = level_with_memo_apart(c, x, y, program, values, own, memo)
                gain = weights.base[c, level] + adjustment(c, level, x, y, program, weights, values)
                most[k] += own.best[c]
                lost[k, c] = own.best[c] - gain


def costs_of(model: CoreModel, values: Values) -> Floats:
    """What each comparison takes, roughly, in the time of the least: letters to compare, values far from at hand."""
    dear = np.array([_is_dear(model, c) for c in range(len(model.comparisons))])
    return 1.0 + dear + (values.tuples > _MANY_TUPLES)


def cheapest(lost: Floats, spare: Floats, costs: Floats) -> Longs:
    """The order of least cost for a sample: `lost` (pairs, C) as above, `spare` what a pair can lose and yet count."""
    count = len(costs)
    needed = ~np.isnan(lost)
    taken = np.nan_to_num(lost)
    least, last = np.full(1 << count, np.inf), np.zeros(1 << count, np.int64)
    least[0] = 0.0
    for made in range(1 << count):
        waits = needed[_goes_on(taken, spare, made)].sum(axis=0)
        for c in range(count):
            more = made | 1 << c
            if more != made and (cost := least[made] + costs[c] * waits[c]) < least[more]:
                least[more], last[more] = cost, c
    order, made = [], (1 << count) - 1
    while made:
        order.append(int(last[made]))
        made ^= 1 << order[-1]
    return np.array(order[::-1], dtype=np.int64)


def _goes_on(taken: Floats, spare: Floats, made: int) -> Flags:
    """Which pairs are not ruled out after a set of comparisons, given as bits."""
    inside = (made >> np.arange(taken.shape[1])) & 1 == 1
    alive: Flags = taken[:, inside].sum(axis=1) <= spare
    return alive


def _is_dear(model: CoreModel, c: int) -> bool:
    """Whether a comparison compares texts letter by letter in more than an edit or two."""
    first = model.program.first[c]
    operations = model.program.operations[int(first.min()) : int(first.max()) + 1, OPERATION]
    return bool(np.isin(operations, (PAIR, CELL, DISTANCE, LEVENSHTEIN), invert=True).any())
