"""R13 end to end: two reports of other people may have been compared with the same ones, where these count once each.

No list has comparison people in it, so the linker finds no earlier report by them: the analyst does.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from counterfoil.lab.keys import Role, decrypt
from counterfoil.lab.make import OpenLab
from counterfoil.study import evaluate, ledger, pooled_people
from counterfoil.study.handover import HANDOVER, unpack_reports
from lib.desk import Desk
from lib.labs import MadeLab, evaluate_by
from lib.lists import people_of, write
from lib.small_lab import Said, call_here, copy_of, run_here

pytestmark = pytest.mark.slow
DUE = dt.date(2022, 4, 4)  # a Monday, more than four weeks after the lab's day
FEW = """
assessments = false
risk_score = false
max_red_share = 1.0
covariates = ["sex", "age_at_index"]
"""
GROUP = "comparison group"


@pytest.fixture
def made(small_lab: MadeLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MadeLab:
    """A copy of the small lab, whose roles work in this process."""
    evaluate_by(monkeypatch, run_here)
    for module in (ledger, pooled_people):
        monkeypatch.setattr(module, "run_role", run_here)
    return copy_of(small_lab, tmp_path / "lab")


def plan_of(made: MadeLab, folder: Path, started: int, method: str, **changes: str) -> Path:
    """Northgate's plan with another method, one measure and two characteristics."""
    text = made.population.programmes["northgate"].plan.read_text()
    measures = '"reoffending_rate", "reoffending_frequency", "days_to_first_reoffence"'
    for old, new in {
        "people_started = 196": f"people_started = {started}",
        'method = "radius"': method + FEW,
        'exact = ["sex"]\n': "",
        measures: '"reoffending_rate"',
        **changes,
    }.items():
        assert old in text
        text = text.replace(old, new)
    plan = folder / "plan.toml"
    plan.write_text(text)
    return plan


def held(lab: OpenLab, run: str) -> Mapping[str, Any]:
    return dict(json.loads((lab.paths.run(run) / "said.json").read_bytes()))


def people(lab: OpenLab, run: str, population: str) -> set[str]:
    said = held(lab, run)
    return {key for key, inside in zip(said["keys"], said["members"][population], strict=True) if inside}


def earlier(lab: OpenLab, run: str) -> list[str]:
    return list(json.loads((lab.paths.run(run) / "audit.json").read_text())["earlier"])


def test_r13_an_earlier_report_is_found_by_whom_both_were_compared_with(made: MadeLab, tmp_path: Path) -> None:
    """Half of a list, then the other: nobody is in both, and some of the pairs' partners are."""
    lab, (headings, rows) = made.lab, people_of(made)
    plan = plan_of(made, tmp_path, 96, 'method = "nearest"')
    runs = []
    half = len(rows) // 2
    for name, part in {"first": rows[:half], "second": rows[half:]}.items():
        file = write([headings, *part], tmp_path / f"{name}.csv")
        runs.append(str(evaluate.evaluate_lab(lab.paths.root, file, plan)["run"]))
        if name == "first":
            ledger.enter(lab, runs[0])
    both = [people(lab, run, "people analysed") for run in runs]
    compared = [people(lab, run, GROUP) for run in runs]
    assert not both[0] & both[1]
    assert compared[0] & compared[1]
    sealed = (lab.paths.run(runs[1]) / HANDOVER).read_bytes()
    assert unpack_reports(decrypt(lab.paths, sealed, by=Role.ANALYST))[0] == ()  # the linker names none
    assert earlier(lab, runs[1]) == [f"the report {runs[0]}"]


def waiting(folder: Path, made: MadeLab, took_part: slice, still_waiting: slice) -> Path:
    """A list of some who took part and some who were waiting, as rows of Northgate's."""
    headings, rows = people_of(made)
    listed = [[*row, "Took part"] for row in rows[took_part]] + [[*row, "Waiting"] for row in rows[still_waiting]]
    return write([[*headings, "Application outcome"], *listed], folder / f"{took_part.start}.csv")


Call = Callable[..., Said]


def test_r13_a_trial_by_a_waiting_list_from_evaluation_to_the_site(
    made: MadeLab, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Who took part, beside whoever was waiting, each counted once. A second report of others beside nearly the same
    waiting list would tell what became of the few by whom the two differ."""
    lab = made.lab
    plan = plan_of(
        made, tmp_path, 66, 'method = "nearest"\ncaliper = "none"', **{'design = "matched"': 'design = "waiting"'}
    )

    def evaluated(took_part: slice, still_waiting: slice) -> dict[str, Any]:
        file = waiting(tmp_path, made, took_part, still_waiting)
        said = call_here(capfd, "evaluate", lab.paths.root, file, "--plan", plan, "--json")
        assert said.code in (0, 1)
        return dict(said.json())

    first = evaluated(slice(61, 122), slice(122, None))
    run, (measure,) = str(first["run"]), first["measures"]
    shown = measure["comparison"]
    assert shown["value"] is not None
    told = {one["label"]: one.get("value") for one in held(lab, run)["publication"]["statements"]}
    size = len(people(lab, run, GROUP))
    assert shown["n"] == size
    assert round(told[f"{measure['label']}, {GROUP}"] / size, 3) == shown["value"]  # the count is in the audit

    desk = Desk(tmp_path, capfd)
    desk.hire()
    assert desk.clear("submit", run, "--yes", by="amina").code == 0
    for checker in ("ben", "cara"):
        approved = desk.clear("approve", run, "--release", desk.digest(run), "--yes", by=checker)
        assert approved.code == 0
    planned = ("plan", run, "--on", DUE, "--intervention", "employment", "--sector", "voluntary")
    assert desk.publish(*planned, by="dan").code == 0
    settings = lab.paths.settings
    settings.write_text(settings.read_text().replace("today = 2022-03-01", f"today = {DUE}"))
    released = desk.publish("release", "--json", by="dan")
    assert (released.code, released.json()["published"]) == (0, [run])
    assert (lab.paths.site / "reports" / run / "report.html").read_bytes() == (
        lab.paths.run(run) / "report.html"
    ).read_bytes()

    second = evaluated(slice(0, 61), slice(125, None))
    again = str(second["run"])
    groups = [people(lab, each, GROUP) for each in (run, again)]
    assert not people(lab, run, "people analysed") & people(lab, again, "people analysed")
    assert 0 < len(groups[0] - groups[1]) < 10
    assert earlier(lab, again) == [f"the report {run}"]
    assert second["measures"][0]["comparison"] == {"n": None, "value": None, "hidden": "R13"}
    audit = json.loads((lab.paths.run(again) / "audit.json").read_text())
    words = [attack["attack"] for each in audit["repaired"] for attack in each["attacks"]]
    assert any(GROUP in one and run in one for one in words)


def drawn_by_lot(made: MadeLab, folder: Path) -> Path:
    """A plan of a trial, with two characteristics."""
    text = made.population.programmes["northgate"].plan.read_text()
    start, end = text.index("[comparison]"), text.index("[outcomes]")
    plan = folder / "trial.toml"
    own = '[comparison]\ndesign = "randomised"\ncovariates = ["sex", "age_at_index"]\n\n'
    plan.write_text(f"{text[:start]}{own}{text[end:]}".replace("people_started = 196", "people_started = 98"))
    return plan


def test_a_trial_in_a_lab_compares_the_two_arms_of_its_list(
    made: MadeLab, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody of the register's pool, in which thousands are: no more people than rows of the list had no place."""
    file = waiting(tmp_path, made, slice(0, 98), slice(98, None))
    said = call_here(capfd, "evaluate", made.lab.paths.root, file, "--plan", drawn_by_lot(made, tmp_path), "--json")
    assert said.code in (0, 1)
    run = str(said.json()["run"])
    arms = people(made.lab, run, "people analysed"), people(made.lab, run, GROUP)
    assert 30 <= len(arms[0]) <= 98
    assert 30 <= len(arms[1]) <= 98
    rate = said.json()["measures"][0]
    assert rate["comparison"]["n"] in (len(arms[1]), None)
    report = (made.lab.paths.run(run) / "report.html").read_text(encoding="utf-8")
    assert "those given a place by lot and those of the list who were not" in report
    assert "those of the list who did not take part have the start that it gives" in report
    assert "a start drawn from the delays" not in report


def test_a_trial_without_its_other_arm_is_refused(
    made: MadeLab, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    headings, rows = people_of(made)
    file = write([headings, *rows], tmp_path / "one_arm.csv")
    said = call_here(capfd, "evaluate", made.lab.paths.root, file, "--plan", drawn_by_lot(made, tmp_path))
    assert said.code == 2
    assert "nobody whom the lots gave no place" in said.err


@pytest.mark.parametrize("design", ["waiting", "randomised"])
def test_a_sub_analysis_is_compared_with_those_of_the_list_whom_the_design_compares_with(
    made: MadeLab, tmp_path: Path, design: str
) -> None:
    """Men with men who were waiting; whoever finished with everybody who was, for the register knows of nobody else."""
    file = waiting(tmp_path, made, slice(0, 98), slice(98, None))
    plan = drawn_by_lot(made, tmp_path)
    asked = '"randomised"' if design == "randomised" else '"waiting"\nmethod = "overlap"\nmax_red_share = 1.0'
    parts = [("Men", "sex", "male"), ("Finished", "completed", "yes")]
    divided = [f'[[sub_analyses]]\nname = "{name}"\nby = "{by}"\nlevels = ["{level}"]\n' for name, by, level in parts]
    plan.write_text("\n".join([plan.read_text().replace('"randomised"', asked), *divided]))
    run = str(evaluate.evaluate_lab(made.lab.paths.root, file, plan)["run"])
    folder = made.lab.paths.run(run)
    tables = [pq.read_table(folder / f"{name}.parquet") for name in ("design", "sub_analysis_1", "sub_analysis_2")]
    everyone, men, finished = (table.filter(pc.invert(table["treated"])).num_rows for table in tables)
    assert 30 <= men < everyone <= 98
    assert finished == everyone
