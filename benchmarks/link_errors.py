"""How far missed and false links move an estimate: `python -m benchmarks.link_errors` prints the table of the docs."""

from __future__ import annotations

import numpy as np

from counterfoil.effect.link_errors import LinkErrors, expected_difference, simulate

TREATED, COMPARISON = 0.30, 0.40  # a true difference of -10 points
PEOPLE, REPEATS, SEED = 1000, 4000, 20
MISSED_TIMES = 2.0  # how much likelier people with the outcome are to be missed, in the last cases

CASES: tuple[tuple[str, LinkErrors], ...] = (
    *((f"false {share:.1%}", LinkErrors(false=share)) for share in (0.005, 0.01, 0.02, 0.05)),
    *((f"missed {share:.0%}, whatever the outcome", LinkErrors(0.0, share, share)) for share in (0.05, 0.1, 0.2)),
)


def missed_by_outcome(missed: float, treated: float = TREATED) -> LinkErrors:
    """A share missed altogether, people with the outcome being `MISSED_TIMES` as likely to be missed."""
    without = missed / (1.0 + (MISSED_TIMES - 1.0) * treated)
    return LinkErrors(0.0, MISSED_TIMES * without, without)


def rows() -> list[tuple[str, float, float, float]]:
    """Case, difference expected by the law, simulated, and the simulation's error; in points."""
    dependent = tuple(
        (f"missed {m:.0%}, twice as often with the outcome", missed_by_outcome(m)) for m in (0.05, 0.1, 0.2)
    )
    rng = np.random.default_rng(SEED)
    found = []
    for name, errors in (*CASES, *dependent):
        shifted = simulate(TREATED, COMPARISON, errors, people=PEOPLE, repeats=REPEATS, rng=rng)
        found.append((name, expected_difference(TREATED, COMPARISON, errors), shifted.mean, shifted.error))
    return found


if __name__ == "__main__":
    print("| links | expected | simulated | its error |\n|---|---|---|---|")
    for name, law, mean, error in rows():
        print(f"| {name} | {law:.2f} | {mean:.2f} | {error:.2f} |")
