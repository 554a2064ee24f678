"""How far to trust it, from the command: the section is in the page, the check was frozen and made, all in one run."""

from __future__ import annotations

import json

from counterfoil.provenance import sha256_of_file
from counterfoil.study.analysis import SENSITIVITY
from counterfoil.study.negative_control import NAME
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
