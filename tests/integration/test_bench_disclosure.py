"""`make bench-disclosure` on small sizes: nothing gives up, and no pattern is unsafe or dearer than it need be."""

from __future__ import annotations

import pytest

from benchmarks.bench_disclosure import audit_full, audit_report, compare_patterns, draw_reports, protect_table
from counterfoil.disclosure.intruder import Limits, audit, explain


@pytest.mark.parametrize("earlier", [0, 4])
def test_r13_a_report_beside_earlier_ones_is_audited_without_giving_up(earlier: int) -> None:
    audit_report(earlier)()


@pytest.mark.parametrize("as_full", [False, True])
def test_r13_a_full_report_is_audited_without_giving_up(as_full: bool) -> None:
    audit_full(2, as_full=as_full)()


def test_r18_a_report_without_three_people_of_an_earlier_one_is_refused() -> None:
    publications, truth = draw_reports(2, fewer=3)
    found = audit(publications, truth)
    assert {"people in new but not earlier 0"} <= {one.target.label for one in found.failed}
    assert not any(one.timed_out for one in found.intervals)


def test_r13_an_attack_that_cannot_be_made_tight_in_time_is_named_as_it_was_found() -> None:
    publications, truth = draw_reports(1, fewer=3)
    found = audit(publications, truth)
    loose = next(one for one in found.failed if not one.tight)
    (attack,) = explain(found, publications, truth, targets=[loose.target.label], limits=Limits(seconds=0.0))
    assert (attack.low, attack.high) == (loose.low, loose.high)


def test_r14_a_small_table_is_protected() -> None:
    protect_table(5)()


def test_r14_patterns_are_as_cheap_as_an_exact_program_finds() -> None:
    found = compare_patterns(3)
    assert (found.unsafe, found.dearer) == (0, 0)
    assert found.ours == found.cheapest > 0
