"""The golden file of attacks: each is refused, with the attack named; and what is safe passes (DISCLOSURE R13)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from counterfoil.disclosure.intruder import Breach, audit, explain
from lib.intruder_cases import publications_of

GOLDEN = tomllib.loads(Path(__file__).with_name("intruder_attacks.toml").read_text("utf-8"))
ATTACKS, SAFE = GOLDEN["attack"], GOLDEN["safe"]


def named(case: dict[str, Any]) -> str:
    return str(case["name"])


@pytest.mark.parametrize("case", ATTACKS, ids=named)
def test_r13_the_attack_is_refused_and_named(case: dict[str, Any]) -> None:
    publications, truth = publications_of(case)
    breach = Breach(case.get("breach", "R13"))
    audited = audit(publications, truth)
    assert not audited.passed
    attacks = explain(audited, publications, truth, targets=[case["target"]])
    found = [one for one in attacks if (one.target, one.breach) == (case["target"], breach)]
    assert len(found) == 1
    assert (found[0].low, found[0].high) == (case.get("low"), case.get("high"))
    if "used" in case:
        assert list(found[0].used) == case["used"]
    if "sentence" in case:
        assert found[0].sentence == case["sentence"]
    for label in found[0].used:
        assert label in found[0].sentence


@pytest.mark.parametrize("case", SAFE, ids=named)
def test_r13_what_is_safe_passes(case: dict[str, Any]) -> None:
    publications, truth = publications_of(case)
    found = audit(publications, truth, tight=True)
    assert found.passed
    if "target" in case:
        assert [(i.low, i.high) for i in found.intervals if i.target.label == case["target"]] == [
            (case["low"], case["high"])
        ]


def test_r13_there_are_fifty_attacks() -> None:
    assert len(ATTACKS) >= 50
    assert len({case["name"] for case in ATTACKS}) == len(ATTACKS)
