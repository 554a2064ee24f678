"""Earlier publications that share nobody with a new one may be left out of its audit (DISCLOSURE R13, R18)."""

from __future__ import annotations

from counterfoil.disclosure.intruder import Publication, audit
from lib.intruder_cases import publications_of, statement_of


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
    together = audit([new, other, first], truth, tight=True)
    alone = {i.target.label: (i.low, i.high) for i in audit([new, first], truth, tight=True).intervals}
    found = {i.target.label: (i.low, i.high) for i in together.intervals if i.target.label in alone}
    assert found == alone
