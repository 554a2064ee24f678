"""Curves in the audit: what two curves of overlapping people give away of those who are in one alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from counterfoil.disclosure import Beside, More, People, Protected, protect, protect_audited, read_said, write_said
from counterfoil.disclosure.audited import Audited, Said
from counterfoil.disclosure.cells import Box, Rule
from counterfoil.disclosure.settings import DEFAULT_SETTINGS
from lib.beside import MANY, inference, survival_of
from lib.results import attrition_of, comparison_of, rate_effect

LARGE = (9000, 29000)
A_MONTH = 365.25 / 12
YEAR = 365.25


def days_of(*, before: int, late: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """200 people. Of the first 140, 60 have the event, five a month; of the last 60, `before` in the first half year
    and `late` after it."""
    first = [np.floor(A_MONTH * (n % 12) + 5 + n // 12) for n in range(60)] + [np.inf] * 80
    more = [20.0 + n for n in range(before)] + [200.0 + n for n in range(late)] + [np.inf] * (60 - before - late)
    return np.array(first + more)


def audited(days: np.ndarray[tuple[int], np.dtype[np.float64]], *earlier: Said, weighted: bool = False) -> Audited:
    """A report of these people: their rate, and their curve."""
    size, had = len(days), np.isfinite(days)
    events = int(had.sum())
    months = np.searchsorted(np.arange(1, 13) * A_MONTH, days[had], side="left")
    curve = survival_of(np.bincount(months, minlength=12).tolist(), MANY, (size, 29_000))
    mean = float(np.where(had, days, YEAR).mean())
    restricted = replace(curve.estimates.restricted, treated=inference(mean, 8.0))
    curve = replace(curve, days=days, estimates=replace(curve.estimates, restricted=restricted))

    def again(more: More) -> Protected:
        flow = attrition_of(size + 60, size + 40, size + 20, size)
        beside = Beside(members=np.ones(size, np.bool_), headline=had.astype(np.float64), survival=curve)
        return protect([rate_effect((events, size), LARGE)], comparison_of(size, 29000), flow, beside=beside, more=more)

    behind = People(
        keys=tuple(f"person {n}" for n in range(size)),
        analysed=np.ones(size, np.bool_),
        values={"reoffending_rate": had.astype(np.float64)},
        boxes={Box.SUBMITTED: size + 60, Box.IN_SCOPE: size + 40, Box.COMPARABLE: size + 20, Box.ANALYSED: size},
        days=days,
        headline=had.astype(np.float64),
        weighted=weighted,
    )
    return protect_audited(again, behind, earlier, DEFAULT_SETTINGS)


def kept(found: Audited) -> Said:
    return read_said(write_said(found.said), "the report before")


def hidden_of(found: Audited) -> Rule | None:
    assert found.protected.survival is not None
    return found.protected.survival.hidden


def test_r30_a_curve_alone_is_shown_and_said() -> None:
    found = audited(days_of(before=30, late=0)[:140])
    assert hidden_of(found) is None
    assert found.record.facts()["repaired"] == []
    labels = [one.label for one in found.said.statements]
    survival = found.protected.survival
    assert survival is not None
    assert sum(label.startswith("curve of") for label in labels) == len(survival.points)


def test_r13_three_events_of_one_season_among_sixty_more_people_hide_the_curve() -> None:
    """Of 60 more people 30 had the event, which may be told; 3 of them in the first half year, which may not."""
    days = days_of(before=3, late=27)
    found = audited(days, kept(audited(days[:140])))
    assert hidden_of(found) is Rule.R13
    assert found.protected.measures[0].treated.value.value == 0.45
    attacks = [attack.sentence for one in found.record.repairs for attack in one.attacks]
    assert any("curve of" in sentence for sentence in attacks)


def test_r13_many_events_in_every_season_among_the_others_leave_the_curve() -> None:
    """240 other people, 20 events a month: every count of those in one report alone is large."""
    first = days_of(before=0, late=0)[:140]
    others = np.array([np.floor(A_MONTH * (n % 12) + 5 + n // 12 % 20) for n in range(240)] + [np.inf] * 300)
    found = audited(np.concatenate([first, others]), kept(audited(first)))
    assert hidden_of(found) is None


@pytest.mark.parametrize("weighted", [False, True])
def test_r18_beside_nearly_the_same_people_what_cannot_be_held_is_hidden(weighted: bool) -> None:
    days = days_of(before=30, late=0)[:140]
    before = kept(audited(days[:139], weighted=weighted))
    assert any(one.label.startswith("curve of") for one in before.statements) is not weighted
    assert ("curves", "") in before.beyond
    assert hidden_of(audited(days, before, weighted=weighted)) is Rule.R7  # the size must go, and with it the curve
