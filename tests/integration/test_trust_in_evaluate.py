"""How far to trust it, from the command: the section is in the page, the check was frozen and made, all in one run."""

from __future__ import annotations

import json

from counterfoil.provenance import sha256_of_file
from counterfoil.study.negative_control import NAME
from counterfoil.study.printing import SENSITIVITY
from lib.small_lab import Evaluated


def test_the_section_is_in_the_report_and_in_the_json(evaluated: Evaluated) -> None:
    result = evaluated.result
    page = (evaluated.folder / "report.html").read_text(encoding="utf-8")
    assert page.count('id="h-trust"') == 1
    trust = result["trust"]
    assert {"headline", "adjusted", "entropy", "inverse", "nearest", "overlap", "caliper"} <= {
        way["name"] for way in trust["ways"]
    } | {"headline"}
    assert [way["headline"] for way in trust["ways"]].count(True) == 1
    assert trust["placebos"] in ("as expected", "alarm")
    assert trust["negative_control"]["name"] == NAME
    for sentence in trust["sentences"]:
        assert sentence.replace("’", "'").split("“")[0] in page.replace("’", "'")


def test_the_check_was_fixed_before_outcomes_and_the_exact_answers_are_hashed(evaluated: Evaluated) -> None:
    frozen = json.loads((evaluated.folder / "frozen.json").read_bytes())
    assert NAME in [way["name"] for way in frozen["ways"]]
    manifest = json.loads((evaluated.folder / "manifest.json").read_bytes())
    assert manifest["outputs"][SENSITIVITY] == sha256_of_file(evaluated.folder / SENSITIVITY)


def test_pairs_are_held_in_the_audit_and_told_to_nobody_else(evaluated: Evaluated) -> None:
    """A 1:1 way counts its comparison people once each, so they are in what the analyst keeps for later audits."""
    pairs = [way for way in evaluated.result["trust"]["ways"] if way["name"] == "nearest"]
    said = json.loads((evaluated.folder / "said.json").read_bytes())
    compared = {name: sum(there) for name, there in said["members"].items() if name.endswith("comparison group")}
    assert bool(compared) is (pairs[0]["hidden"] is None)
    assert all(people >= 30 for people in compared.values())  # R1
    assert len(set(said["keys"])) == len(said["keys"])
    named = json.loads((evaluated.folder / "result.json").read_text())["files"]
    assert "said.json" not in named
