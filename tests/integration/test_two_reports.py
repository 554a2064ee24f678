"""R13 and R18 end to end: a second list is the first and three people. What they did must not be had by subtraction.

The second list is held before an outcome of it is opened. Somebody of a higher grade decides that it may be analysed;
then the audit hides what could be taken from the first.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from counterfoil.clearance import actions
from counterfoil.errors import Refused
from counterfoil.lab.make import OpenLab
from counterfoil.study import analysis, evaluate, ledger
from counterfoil.study.deciding import decided
from counterfoil.study.ledger_why import why
from lib.clearance import put_in_force
from lib.labs import MadeLab, evaluate_by
from lib.lists import rows_of, write
from lib.small_lab import call_here, copy_of, run_here

pytestmark = pytest.mark.slow  # three analyses in a lab of 12,000 people
REFUSED = 3
MEASURES = ("reoffending_rate", "reoffending_frequency")
ADDED = 3


def all_kept(made: MadeLab, folder: Path) -> Path:
    """Northgate's plan with weights that leave nobody out, so that the second group holds the first."""
    text = made.population.programmes["northgate"].plan.read_text()
    assert 'method = "radius"' in text
    plan = folder / "plan.toml"
    plan.write_text(text.replace('method = "radius"', 'method = "inverse_probability"').replace('exact = ["sex"]', ""))
    return plan


@pytest.fixture
def reports(
    small_lab: MadeLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[OpenLab, dict[str, Any], dict[str, Any], Path, Path]]:
    """A lab with both reports, neither of them in the ledger; then the second's list and plan."""
    monkeypatch.setattr(ledger, "run_role", run_here)
    made = copy_of(small_lab, tmp_path / "lab")
    lab, rows, plan = made.lab, rows_of(made), all_kept(made, tmp_path)
    whole = write(rows, tmp_path / "second.csv")
    # the first three whom the analysis has: rows that nobody was linked from would change nothing
    second = evaluate.evaluate_lab(lab.paths.root, whole, plan)
    for start in range(40, len(rows) - 60):
        first = evaluate.evaluate_lab(
            lab.paths.root, write(rows[:start] + rows[start + ADDED :], tmp_path / "first.csv"), plan
        )
        if analysed(second) - analysed(first) == ADDED:
            break
    else:
        pytest.fail("No three neighbours of the list are all analysed.")
    yield lab, first, second, whole, plan
    shutil.rmtree(lab.paths.root)


def no_outcome(*_: object, **__: object) -> None:
    pytest.fail("an outcome was estimated of a list that R18 holds")


def decide(lab: OpenLab, run: str) -> None:
    """The finding that the held run has is excepted: an analyst asks, and an owner of a higher grade allows."""
    office = put_in_force(lab)
    (finding,) = json.loads((lab.paths.run(run) / "audit.json").read_text())["findings"]
    with pytest.raises(Refused):
        actions.submit(office.lab, run, signer=office.signer("amina"), team=[])
    asked = actions.ask_exception(
        office.lab,
        run,
        signer=office.signer("amina"),
        rule=finding["rule"],
        cell=finding["cell"],
        reason="The list was mended after the first report was cleared.",
        risk="The audit holds both reports together.",
        until="2099-12-31",
    ).exceptions
    assert decided(office.lab, run, [finding["cell"].split()[2]]) == ()
    actions.allow_exception(office.lab, run, asked[0].entry, signer=office.signer("eve"))


def analysed(result: dict[str, Any]) -> int:
    return int(result["attrition"][-1]["n"])


def values(result: dict[str, Any]) -> list[float | None]:
    """Of the treated, each measure's."""
    return [m["treated"]["value"] for m in result["measures"] if m["measure"] in MEASURES]


def test_r13_three_more_people_are_not_given_away(
    reports: tuple[OpenLab, dict[str, Any], dict[str, Any], Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    lab, first, second, whole, plan = reports
    assert None not in values(first) + values(second)  # alone, and with nothing in the ledger, both are safe

    ledger.enter(lab, first["run"])
    folder = lab.paths.run(second["run"])
    (folder / "frozen.json").unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analysis, "estimate", no_outcome)
        evaluate_by(patch, run_here)
        held = evaluate.evaluate_lab(lab.paths.root, whole, plan)
        assert evaluate.evaluate_lab(lab.paths.root, whole, plan) == held  # nobody has decided
    assert (held["run"], held["refused"]["rule"]) == (second["run"], "R18")
    assert not (folder / "frozen.json").exists()  # not even a design was made
    assert not re.search(r"\d", held["refused"]["reason"].replace("10", "").replace("R18", ""))
    assert not (folder / "said.json").exists()
    decide(lab, second["run"])

    again = evaluate.evaluate_lab(lab.paths.root, whole, plan)
    assert again["run"] == second["run"]
    assert values(again) == [None, None]
    assert again["attrition"][-1]["n"] is None

    audit = json.loads((folder / "audit.json").read_text())
    attacks = [attack["attack"] for each in audit["repaired"] for attack in each["attacks"]]
    assert any(
        "subtract" in words and f"the report {first['run']}: " in words and f"get {ADDED}" in words for words in attacks
    )
    named = json.loads((folder / "result.json").read_text())["files"]
    assert not {"audit.json", "said.json", "members.age"} & set(named)
    published = b"".join((folder / name).read_bytes() for name in named)
    assert not any(words.encode() in published for words in attacks)
    assert (folder / "audit.json").stat().st_mode & 0o077 == 0

    # finished, and beside all that the ledger has: not run again
    assert evaluate.evaluate_lab(lab.paths.root, whole, plan) == again
    assert why(lab, second["run"], "reoffending_rate")["by_the_audit"] is True

    holds = call_here(capfd, "ledger", lab.paths.root, "check", "--json")
    assert (holds.code, holds.json()["entries"]) == (0, 1)
    cells = lab.paths.ledger / f"{first['run']}.json"
    assert json.loads(cells.read_text())["cells"]["measures.0.treated.value"] == values(first)[0]
    cells.write_text(cells.read_text().replace("measures.0", "measures.9"))
    assert call_here(capfd, "ledger", lab.paths.root, "check").code == REFUSED
