"""Which earlier publications are audited with a new one (DISCLOSURE R13, R18)."""

from __future__ import annotations

from counterfoil.disclosure.intruder import Difference, Piece, Publication, Weighted, audit, find_sharing
from lib.intruder_cases import publications_of, statement_of


def said(name: str, atoms: str) -> Publication:
    return Publication(name, {name: tuple(atoms.split())}, (statement_of(f"{name} = 60"),))


def test_r18_those_that_share_people_matter_through_others_too() -> None:
    new, near, far, apart = said("new", "a b"), said("near", "b c"), said("far", "c d"), said("apart", "e f")
    assert find_sharing(new, [far, apart, near]) == (far, near)
    assert find_sharing(new, [far, apart]) == ()
    assert find_sharing(new, []) == ()


def test_r18_a_weighted_rate_joins_what_shares_nobody() -> None:
    rate = Weighted("rate", "pool", "0.31")
    new = Publication("new", {"new": ("a",)}, (Difference("d", (Piece("new"),), 60, "pool", "1.0"),))
    assert find_sharing(new, [Publication("other", {"other": ("z",)}, (rate,)), said("apart", "e")]) == (
        Publication("other", {"other": ("z",)}, (rate,)),
    )


def test_r18_what_shares_nobody_changes_no_interval() -> None:
    case = {
        "populations": {"A": "a", "B": "a b", "C": "c"},
        "outcomes": {"r": "once"},
        "says": {
            "second": ["B = 61", "r in B over B = 0.36"],
            "first": ["A = 60", "r in A over A = 0.35"],
        },
        "truth": {"a": {"people": 60, "r": 21}, "b": {"people": 1, "r": 1}, "c": {"people": 70, "r": 30}},
    }
    (new, first), truth = publications_of(case)
    other = Publication("other", {"C": ("c",)}, (statement_of("C = 70"), statement_of("r in C = 30")), new.outcomes)
    new, first = (Publication(p.name, {n: p.populations[n] for n in names}, p.statements, p.outcomes)
                  for p, names in ((new, ["B"]), (first, ["A"])))  # fmt: skip
    assert find_sharing(new, [other, first]) == (first,)
    together = audit([new, other, first], truth, tight=True)
    alone = {i.target.label: (i.low, i.high) for i in audit([new, first], truth, tight=True).intervals}
    found = {i.target.label: (i.low, i.high) for i in together.intervals if i.target.label in alone}
    assert found == alone
