"""`pool`: what it takes, what it refuses, and a page whose every number was released before."""

from __future__ import annotations

import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.cli.pool import exit_code, lines_of
from counterfoil.disclosure import Protected, protect
from counterfoil.effect import Study, pool
from counterfoil.errors import Fault, Refused, UsageError
from counterfoil.lab.log import read
from counterfoil.lab.make import OpenLab, make_lab, open_lab
from counterfoil.population import LAB_DATE
from counterfoil.report import pool as pool_page
from counterfoil.report import read_back
from counterfoil.report.pdf_ready import why_no_pdf
from counterfoil.study import pooling
from counterfoil.study.handover import HANDOVER
from counterfoil.study.pooling import pool_runs
from lib.clearance import RUN
from lib.pooled_runs import add_run
from lib.reports import refused, too_few
from lib.results import FREQUENCY, ROWS, attrition_of, balance_row, comparison_of, mean_effect, rate_effect
from lib.site import V1, V2, noon, press
from lib.small_lab import call_here, run_here

LARGE = (9100, 29000)
CLEAR = ((212, 820), (140, 610), (160, 640), (101, 405))  # reoffended, people; LARGE has 31.4%


def result_of(treated: tuple[int, int], *, reliable: bool = True) -> Protected:
    """A released rate and frequency."""
    rows = ROWS if reliable else (*ROWS, balance_row("drugs", 0.2))
    n = treated[1]
    effects = (rate_effect(treated, LARGE, ess=17000), mean_effect(FREQUENCY, (n, 0.82, 3.1), (29000, 1.04, 3.9)))
    return protect(
        effects, comparison_of(n, 29000, reliable=reliable, rows=rows), attrition_of(n + 200, n + 50, n + 20, n)
    )


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> OpenLab:
    """A lab with four runs of one service, a year each, of people that no two share; added out of order."""
    made = make_lab(tmp_path_factory.mktemp("four") / "lab", today=LAB_DATE)
    for place in (2, 0, 3, 1):
        year = 2015 + place
        add_run(made, f"run{place}", result_of(CLEAR[place]), people=[f"p{place}", f"q{place}"], years=(year, year))
    return made


@pytest.fixture
def lab(four: OpenLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenLab:
    """A copy of it, for one test; the analyst's task runs in this process."""
    monkeypatch.setattr(pooling, "run_role", run_here)
    shutil.copytree(four.paths.root, tmp_path / "lab")
    return open_lab(tmp_path / "lab")


def pooled(lab: OpenLab, *runs: str, **asked: Any) -> dict[str, Any]:
    return pool_runs(lab.paths.root, runs, **asked)


def test_the_mean_is_that_of_the_released_numbers(lab: OpenLab) -> None:
    found = pooled(lab, "run0", "run1", "run2", "run3")
    studies = []
    for run in ("run0", "run1", "run2", "run3"):
        rate = json.loads((lab.paths.run(run) / "report.json").read_bytes())["measures"][0]
        studies.append(Study(run, rate["difference"], (rate["high"] - rate["low"]) / (2 * 1.959963985)))
    mean = pool(studies).mean
    assert mean.low is not None
    assert mean.high is not None
    # differences of rates are released to one decimal, and so is what they come to
    assert (found["pooled"]["difference"], found["pooled"]["low"], found["pooled"]["high"]) == (
        round(mean.estimate, 1), round(mean.low, 1), round(mean.high, 1)
    )  # fmt: skip
    assert found["verdict"] == "fewer"
    assert found["prediction"]["low"] <= found["pooled"]["low"]
    assert sum(run["share"] for run in found["runs"]) == pytest.approx(1.0, abs=0.02)
    assert exit_code(found) == 0


def test_the_order_is_that_of_date_whatever_is_asked(lab: OpenLab) -> None:
    found = pooled(lab, "run3", "run1", "run0", "run2")
    assert [run["run"] for run in found["runs"]] == ["run0", "run1", "run2", "run3"]
    assert [run["period"] for run in found["runs"]] == ["2015", "2016", "2017", "2018"]
    sizes = [run["difference"] for run in found["runs"]]
    assert sizes != sorted(sizes)  # and so not by size
    assert found["pool"] == pooled(lab, "run0", "run1", "run2", "run3")["pool"]
    assert list(read(lab.paths))[-1]["event"] == "pooled"


def test_r21_the_picture_is_drawn_of_released_numbers(lab: OpenLab) -> None:
    found = pooled(lab, "run0", "run1", "run2", "run3")
    page = Path(found["report"]).read_text()
    charts = {svg[0].attrib["id"]: svg for svg in map(ET.fromstring, re.findall(r"<svg.*?</svg>", page, re.DOTALL))}
    assert set(charts) == {"forest-0", "forest-1", "forest-2", "forest-3", "forest-mean", "forest-prediction"}
    for place, run in enumerate(found["runs"]):
        ends = charts[f"forest-{place}"].find("line[@class='range']")
        assert ends is not None
        assert (Decimal(ends.attrib["x1"]), Decimal(ends.attrib["x2"])) == (
            Decimal(str(run["low"])), Decimal(str(run["high"]))
        )  # fmt: skip
        assert charts[f"forest-{place}"].attrib["role"] == "img"
        assert "range runs from" in (charts[f"forest-{place}"][0].text or "")
    lozenge = charts["forest-mean"].find("polygon")
    assert lozenge is not None
    assert lozenge.attrib["points"].split()[0] == f"{found['pooled']['low']:.1f},5"
    boxes = {svg.attrib["viewBox"] for svg in charts.values()}
    assert len(boxes) == 1  # one axis


def test_r22_every_number_of_the_page_was_released(lab: OpenLab, monkeypatch: pytest.MonkeyPatch) -> None:
    pooled(lab, "run0", "run1", "run2")
    page = pool_page._page
    monkeypatch.setattr(pool_page, "_page", lambda *given: page(*given).replace("</main>", "<p>47</p></main>"))
    with pytest.raises(Fault, match=r"pool\.html"):
        pooled(lab, "run0", "run1", "run3")
    assert "47" in read_back.texts_of("pool.html", b"<p>47</p>")


def test_the_page_is_marked_up_for_everybody_and_ranks_nobody(lab: OpenLab) -> None:
    page = Path(pooled(lab, "run0", "run1", "run2")["report"]).read_text()
    assert "Published only if it is in the register" in page
    assert page.count("<h1") == 1
    assert page.count("<caption") == page.count("<table")
    assert "never of size" in page
    assert "better or worse than another" in page
    assert "Finished runs of these services that are not in here: run3." in page
    assert not re.search(r"https?:|<script|no effect", page)


def test_two_have_no_interval_and_exit_code_1(lab: OpenLab) -> None:
    found = pooled(lab, "run0", "run1")
    assert found["verdict"] is None
    assert found["pooled"]["difference"] is not None
    assert (found["pooled"]["low"], found["pooled"]["high"], found["pooled"]["p"]) == (None, None, None)
    assert found["prediction"] == {"low": None, "high": None}
    assert exit_code(found) == 1
    assert "Two results are too few to be put together" in found["headline"]
    assert any("(no range)" in line for line in lines_of(found))
    assert "forest-mean" not in Path(found["report"]).read_text()


def test_an_unreliable_run_is_said_and_exit_code_1(lab: OpenLab) -> None:
    add_run(lab, "red", result_of((90, 300), reliable=False), people=["r"], years=(2014, 2014))
    found = pooled(lab, "red", "run0", "run1")
    assert (found["reliable"], exit_code(found)) == (False, 1)
    assert found["caveats"][0].startswith("Some of these results are to be read with caution")
    assert "read with caution" in Path(found["report"]).read_text()


def test_another_measure(lab: OpenLab) -> None:
    found = pooled(lab, "run0", "run1", "run2", measure="reoffending_frequency", title="Work after prison")
    assert (found["unit"], found["title"]) == ("reoffences a person", "Work after prison")
    assert found["pooled"]["difference"] == pytest.approx(-0.22)  # 0.82 against 1.04 in each


def test_services_of_one_kind(lab: OpenLab) -> None:
    add_run(lab, "other", result_of((90, 300)), people=["r"], years=(2015, 2016), title="Harbour Kitchen")
    found = pooled(lab, "other", "run0", "run1")
    assert found["title"] == "Services of one kind"
    assert [run["title"] for run in found["runs"]] == ["Bridge to work", "Harbour Kitchen", "Bridge to work"]
    assert found["left_out"] == ["run2", "run3"]


def test_r18_nobody_may_be_in_two(lab: OpenLab) -> None:
    add_run(lab, "again", result_of((90, 300)), people=["z", "q1"])
    with pytest.raises(Refused, match="Somebody is in more than one of these runs") as told:
        pooled(lab, "run0", "run1", "again")
    assert told.value.rule == "R18"
    assert not re.search(r"\d", told.value.reason)  # R25: not how many
    pooled(lab, "run0", "run2", "again")


@pytest.mark.parametrize(
    "plan",
    [
        {"outcomes": {"follow_up_months": 24}},
        {"outcomes": {"waiting_months": 3}},
        {"cohort": {"follow_from": "start"}},
        {"cohort": {"index_kinds": ["release"]}},
        {"comparison": {"design": "randomised"}},
    ],
    ids=lambda plan: str(plan),
)
def test_what_is_not_measured_alike_is_refused(lab: OpenLab, plan: dict[str, Any]) -> None:
    add_run(lab, "odd", result_of((90, 300)), people=["r"], **plan)
    with pytest.raises(Refused, match="do not measure the same thing") as told:
        pooled(lab, "run0", "run1", "odd")
    assert told.value.rule == "pooling"


def test_every_run_without_a_released_number_is_named(lab: OpenLab) -> None:
    add_run(lab, "hid", too_few(), people=["h"])
    add_run(lab, "stopped", refused(), people=["s"])
    with pytest.raises(Refused) as told:
        pooled(lab, "run0", "hid", "stopped")
    assert "Run hid shows no reoffending_rate (R3)" in told.value.reason
    assert "Run stopped was refused (R1)" in told.value.reason
    with pytest.raises(Refused, match="does not measure days_to_first_reoffence"):
        pooled(lab, "run0", "run1", measure="days_to_first_reoffence")


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        (["run0"], "at least two"),
        (["run0", "run0"], "named twice"),
        (["run0", "nowhere"], "no finished run nowhere"),
        (["run0", "../runs/run1"], "no finished run"),
    ],
)
def test_runs_that_cannot_be_asked_for(lab: OpenLab, runs: Sequence[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        pooled(lab, *runs)
    with pytest.raises(UsageError, match="does not measure happiness"):
        pooled(lab, "run0", "run1", measure="happiness")


def test_a_changed_report_is_no_finished_run(lab: OpenLab) -> None:
    report = lab.paths.run("run0") / "report.json"
    report.write_bytes(report.read_bytes().replace(b"-5", b"-9"))
    with pytest.raises(UsageError, match="no finished run run0"):
        pooled(lab, "run0", "run1", "run2")


def test_the_command(lab: OpenLab, capfd: pytest.CaptureFixture[str]) -> None:
    root = lab.paths.root
    said = call_here(capfd, "pool", root, "run0", "run1", "run2", "run3", "--json")
    assert said.code == 0
    assert {"pool", "report", "measure", "runs", "pooled", "prediction", "verdict", "reliable"} <= set(said.json())
    assert call_here(capfd, "pool", root, "run0", "run1").code == 1
    assert call_here(capfd, "pool", root, "run0").code == 2
    assert call_here(capfd, "pool", root, "run0", "nowhere").code == 2
    add_run(lab, "again", result_of((90, 300)), people=["q0"])
    told = call_here(capfd, "pool", root, "run0", "again")
    assert (told.code, told.out) == (3, "")
    plain = call_here(capfd, "pool", root, "run0", "run1", "run2")
    assert "All together" in plain.out
    assert "Another cohort like these" in plain.out


@pytest.mark.slow  # a process of its own
def test_the_analyst_is_asked_in_its_own_process(
    lab: OpenLab, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    (lab.paths.linker / "key.age").chmod(0)  # the analyst needs nothing of the linker's
    assert call_here(capfd, "pool", lab.paths.root, "run0", "run1", "run2").code == 0


def test_runs_whose_people_are_not_known_any_more_are_not_pooled(
    lab: OpenLab, capfd: pytest.CaptureFixture[str]
) -> None:
    (lab.paths.run("run1") / HANDOVER).unlink()
    done = call_here(capfd, "pool", lab.paths.root, "run0", "run1", "run2")
    assert done.code == 4
    assert "run1 are not known any more" in done.err


# Decision 29: nothing but what reports print goes into a pool


def files_of_pool(lab: OpenLab, found: dict[str, Any]) -> dict[str, bytes]:
    folder = lab.paths.pool(found["pool"])
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def nobody_is_in_two(*_: object) -> dict[str, bool | str]:
    return {"shared": False, "unknown": ""}


def test_a_pool_is_a_function_of_what_its_reports_print(lab: OpenLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """All else of the runs is gone: outcomes, designs, what the audit kept. Every file is the same, byte by byte."""
    first = files_of_pool(lab, pooled(lab, "run0", "run1", "run2", "run3"))
    assert {"pool.html", "pool.json", "pool.ods", "pool.xlsx", "tables/pool.csv", "tables/versions.csv",
            "tables/pool.csv-metadata.json", "tables/versions.csv-metadata.json"} == set(first)  # fmt: skip
    gone = 0
    for run in ("run0", "run1", "run2", "run3"):
        printed = set(json.loads((lab.paths.run(run) / "result.json").read_bytes())["files"])
        for path in sorted(lab.paths.run(run).rglob("*")):
            name = path.relative_to(lab.paths.run(run)).as_posix()
            if path.is_file() and name not in printed | {"result.json", "manifest.json"}:
                path.unlink()
                gone += 1
    assert gone >= 4  # each run's people at least
    monkeypatch.setattr(pooling, "run_role", nobody_is_in_two)
    assert files_of_pool(lab, pooled(lab, "run0", "run1", "run2", "run3")) == first


def test_a_printed_number_that_changes_changes_the_pool(lab: OpenLab) -> None:
    """The test above can fail: the numbers do come from there."""
    found = pooled(lab, "run0", "run1", "run2")
    assert found["pooled"] != pooled(lab, "run0", "run1", "run3")["pooled"]


def test_a_pool_says_whether_its_reports_are_public(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooling, "run_role", run_here)
    empty = press(tmp_path / "lab")
    shutil.rmtree(empty.lab.paths.run(RUN))  # a run without a report of ours
    one = empty.published(V1, result_of(CLEAR[0]))
    two = one.add(V2, result_of(CLEAR[1]))
    inside = pooled(two.lab, V1, V2)
    assert inside["all_public"] is False
    page = (two.lab.paths.pool(inside["pool"]) / "pool.html").read_text("utf-8")
    assert "inside the lab only" in page
    three = two.clear(V2).plan(V2, "2026-09-07").on("2026-09-07")
    three.release(noon("2026-09-07"), V2)
    public = pooled(three.lab, V1, V2)
    assert public["all_public"] is True
    assert "Each of these reports is public." in Path(public["report"]).read_text("utf-8")


@pytest.mark.slow
@pytest.mark.skipif(bool(why_no_pdf()), reason=why_no_pdf())
def test_a_pool_has_a_copy_as_pdf_that_says_the_same(lab: OpenLab) -> None:
    found = pooled(lab, "run0", "run1", "run2", "run3", pdf=True)
    text = read_back.texts_of("pool.pdf", files_of_pool(lab, found)["pool.pdf"])
    assert "All together" in text
    assert found["headline"].split(".")[0].split(",")[0] in " ".join(text.split())
