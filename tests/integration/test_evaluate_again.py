"""One evaluation by the command: what it prints and keeps; again, with a changed plan, in a lab of other secrets."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from counterfoil import __version__
from counterfoil.cli import demo
from counterfoil.domains import load as load_domain
from counterfoil.lab.log import read
from counterfoil.lab.make import OpenLab, make_lab
from counterfoil.lab.paths import LINK_QUALITY
from counterfoil.population import LAB_DATE
from counterfoil.study.evaluate import WAITING
from lib.labs import MadeLab, evaluate_by
from lib.provider_files import people, write_csv
from lib.small_lab import (
    COMMAND,
    Evaluated,
    call,
    call_here,
    check_result,
    copy_of,
    evaluate_arguments,
    files_under,
    run_here,
)

pytestmark = pytest.mark.slow  # they share a lab of 12,000 people
DONE, FINDINGS, USAGE, REFUSED = 0, 1, 2, 3

Captured = pytest.CaptureFixture[str]
PRISON_TABLES = ("people", "nomis", "oasys_in_custody", "safety_in_custody")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def changed_plan(made: MadeLab, folder: Path, old: str, new: str) -> Path:
    """Northgate's plan with one thing changed."""
    text = made.population.programmes["northgate"].plan.read_text()
    assert text.count(old) == 1
    plan = folder / "plan.toml"
    plan.write_text(text.replace(old, new))
    return plan


def test_the_answer_of_a_list(evaluated: Evaluated) -> None:
    """189 rows in the list, of a programme that is large enough: an answer, of all its people and measures."""
    assert evaluated.said.code in (DONE, FINDINGS)
    result = evaluated.result
    check_result(result)
    assert evaluated.said.code == (DONE if result["reliable"] else FINDINGS)
    assert [m["measure"] for m in result["measures"]] == [
        "reoffending_rate",
        "reoffending_frequency",
        "days_to_first_reoffence",
    ]
    assert result["attrition"][0]["step"] == "submitted"
    assert result["report"] == str(evaluated.folder / "report.html")


def test_the_same_list_at_once_is_linked_and_analysed_once(small_lab: MadeLab, tmp_path: Path) -> None:
    """Two would give its people other keys each, and the ledger could not say later who is behind the report."""
    arguments = (*evaluate_arguments(copy_of(small_lab, tmp_path / "lab"), "northgate"), "--json")
    with subprocess.Popen([COMMAND, *arguments], stdout=-1, stderr=-1, text=True) as first:
        assert first.stderr is not None
        assert any("Finding each person" in line for line in first.stderr)
        second = call(*arguments)
        printed, _ = first.communicate()
    assert (first.returncode, json.loads(printed)) == (second.code, second.json())
    assert [line.strip() for line in second.err.splitlines()] == [WAITING]
    assert list((tmp_path / "lab" / "analyst" / "runs").glob(".*")) == []


def test_the_manifest_names_everything_that_decided_the_run(evaluated: Evaluated) -> None:
    paths, programme = evaluated.made.lab.paths, evaluated.made.population.programmes["northgate"]
    manifest = json.loads((evaluated.folder / "manifest.json").read_bytes())
    extracts = [p for p in paths.analyst.glob("extracts/*/*/*.parquet")]
    expected = {
        "file": sha256(programme.file),
        "spine": str(paths.latest_spine() and paths.latest_spine().name),  # type: ignore[union-attr]
        "register": str(paths.latest_register() and paths.latest_register().name),  # type: ignore[union-attr]
        **{str(path.relative_to(paths.analyst)): sha256(path) for path in extracts},
    }
    assert len(extracts) == sum(len(source.tables) for source in load_domain().sources.values())
    assert manifest["inputs"] == expected
    assert manifest["seed"] == 1
    assert manifest["version"] == __version__
    assert manifest["plan"]["values"]["title"].startswith("Northgate")
    assert len(manifest["plan"]["sha256"]) == 64
    assert manifest["outputs"]["report.html"] == sha256(evaluated.folder / "report.html")
    report = (evaluated.folder / "report.html").read_text("utf-8")
    assert manifest["plan"]["sha256"] in report
    assert expected["file"] not in report  # whoever holds a list could else prove that it was this one


def test_the_same_again_is_not_run_again(evaluated: Evaluated, capfd: Captured) -> None:
    before = files_under(evaluated.made.lab.paths.root)
    again = call_here(capfd, *evaluated.arguments, "--json")
    assert (again.code, again.json()) == (evaluated.said.code, evaluated.result)
    assert again.err == ""  # no child process had anything to report
    assert files_under(evaluated.made.lab.paths.root) == before


def test_the_path_of_a_kept_report_is_the_one_of_today(
    evaluated: Evaluated, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = evaluated.made.lab.paths.root
    monkeypatch.chdir(root.parent)
    command, _, *others = evaluated.arguments
    again = call_here(capfd, command, root.name, *others, "--json")
    assert again.json()["report"] == str(evaluated.folder.relative_to(root.parent) / "report.html")


def test_a_report_that_was_changed_is_made_again(
    evaluated: Evaluated, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate_by(monkeypatch, run_here)
    report = evaluated.folder / "report.html"
    kept = report.read_bytes()
    report.write_bytes(kept + b"<p>and more</p>")
    assert call_here(capfd, *evaluated.arguments, "--json").json() == evaluated.result
    assert report.read_bytes() == kept


def test_what_the_linker_does_after_its_handover_is_done_again_where_it_was_stopped(
    evaluated: Evaluated, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate_by(monkeypatch, run_here)
    digest = sha256(evaluated.made.population.programmes["northgate"].file)
    submission = evaluated.made.lab.paths.submission(digest[:16])
    quality, report = submission / LINK_QUALITY, evaluated.folder / "report.html"
    kept, page = quality.read_bytes(), report.read_bytes()
    quality.unlink()
    assert call_here(capfd, *evaluated.arguments, "--json").json() == evaluated.result
    assert (quality.read_bytes(), report.read_bytes()) == (kept, page)


def test_a_changed_plan_makes_another_run_and_an_unsuitable_service_none_of_its_people(
    small_lab: MadeLab, capfd: Captured, tmp_path: Path
) -> None:
    """Refused from the description of the service: nothing is stored of the list, nobody is looked for."""
    root = small_lab.lab.paths.root
    file = write_csv(tmp_path / "list.csv", people(70))
    runs = []
    for seed in (1, 2):
        plan = changed_plan(small_lab, tmp_path, "seed = 1", f"seed = {seed}")
        plan.write_text(plan.read_text().replace("[service]", '[service]\nunsuitable = "gangs"'))
        said = call_here(capfd, "evaluate", root, file, "--plan", plan, "--json")
        assert said.code == REFUSED
        assert said.json()["refused"]["rule"] == "method not suitable"
        assert Path(said.json()["report"]).is_file()
        runs.append(said.json()["run"])
    assert runs[0] != runs[1]
    assert not small_lab.lab.paths.submission(sha256(file)[:16]).exists()
    done = [entry["facts"]["run"] for entry in read(small_lab.lab.paths) if entry["event"] == "evaluated"]
    assert done[-2:] == runs


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('exact = ["sex"]', 'exact = ["star_sign"]', "`star_sign` is no covariate of the register"),
        ('"reoffending_rate", ', '"happiness", ', "`outcomes.measures` names `happiness`"),
        ("[service]", '[service]\nunsuitable = "boring"', "`service.unsuitable` is 'boring'"),
    ],
)
def test_a_plan_that_does_not_fit_the_lab(
    old: str, new: str, says: str, small_lab: MadeLab, capfd: Captured, tmp_path: Path
) -> None:
    """Said before the list is stored or anyone is looked for."""
    root = small_lab.lab.paths.root
    plan = changed_plan(small_lab, tmp_path, old, new)
    before = files_under(root)
    said = call_here(capfd, *evaluate_arguments(small_lab, "northgate")[:-1], plan)
    assert said.code == USAGE
    assert says in said.err
    assert files_under(root) == before


def without_name(root: Path, *, name: str | None, today: object, truth: str | None) -> OpenLab:
    del name, today, truth
    return make_lab(root, today=LAB_DATE)


def test_a_lab_of_other_secrets_gives_the_same_bytes(
    evaluated: Evaluated, capfd: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`demo` on the same population: another lab with other keys, secrets and person keys, every verb once.

    It ends with 0 although one programme is refused; and no row order or sum followed a key.
    """
    made = evaluated.made
    monkeypatch.setattr(demo, "generate", lambda *_, **__: made.population)
    monkeypatch.setattr(demo, "make_lab", without_name)
    monkeypatch.setattr(demo, "run_role", run_here)
    evaluate_by(monkeypatch, run_here)
    said = call_here(capfd, "demo", "--out", tmp_path / "demo", "--json")
    assert said.code == DONE
    answer = said.json()
    assert answer.keys() == {"lab", "runs", "site"}
    for run in answer["runs"]:
        check_result(run)
    assert [run.get("refused", {}).get("rule") for run in answer["runs"]] == [None, None, "R1"]
    first = Path(answer["runs"][0]["report"]).parent
    paths = made.lab.paths
    assert (Path(answer["lab"]) / "linker" / "register.secret").read_bytes() != (
        paths.linker / "register.secret"
    ).read_bytes()
    for name in ("report.html", "report.json", "design.parquet", "frozen.json", "manifest.json"):
        assert (first / name).read_bytes() == (evaluated.folder / name).read_bytes(), name
    again_on(Path(answer["lab"]), made, capfd)


def again_on(lab: Path, made: MadeLab, capfd: Captured) -> None:
    """Every stage is there already: its verb says so and writes nothing but the log."""
    before = {path: when for path, when in files_under(lab).items() if not path.endswith("/log")}
    prison = [made.population.sources / f"prison_{table}.parquet" for table in PRISON_TABLES]
    verbs = {("load", lab, "prison", *prison): "lines", ("link", lab): "spine", ("register", lab): "register"}
    for arguments, key in verbs.items():
        said = call_here(capfd, *arguments, "--json")
        assert (said.code, key in said.json()) == (DONE, True)
    after = {path: when for path, when in files_under(lab).items() if not path.endswith("/log")}
    assert {path for path in after if after[path] != before.get(path)} == set()


def test_a_register_of_an_older_spine_is_not_used(small_lab: MadeLab, capfd: Captured, tmp_path: Path) -> None:
    made = copy_of(small_lab, tmp_path / "lab")
    paths = made.lab.paths
    keys = paths.latest_register_keys()
    assert keys is not None
    (keys.parent / f"2022-03-02{keys.name[10:]}").write_bytes(keys.read_bytes())
    said = call_here(capfd, *evaluate_arguments(replace(small_lab, lab=made.lab), "northgate"))
    assert said.code == USAGE
    assert "The register is of an older spine. Run counterfoil register" in said.err
    doctor = call_here(capfd, "doctor", paths.root)
    assert doctor.code == FINDINGS
    assert [line[6:14] for line in doctor.out.splitlines() if line.startswith("MEND")] == ["register"]


def test_what_the_organisation_says_is_printed_by_the_same_run(
    evaluated: Evaluated, tmp_path: Path, capfd: Captured
) -> None:
    """A response changes no number and no run; without it the report is printed as it was."""
    made = copy_of(evaluated.made, tmp_path / "lab")
    folder = made.lab.paths.run(evaluated.result["run"])
    (tmp_path / "words.toml").write_text(
        'response = "We are glad, and have 97 questions."\nresponse_date = 2026-02-27\nother_evidence = "A survey."\n'
    )
    said = evaluate_arguments(made, "northgate")
    answered = call_here(capfd, *said, "--words", tmp_path / "words.toml", "--json")
    assert answered.json()["run"] == evaluated.result["run"]
    assert answered.json()["measures"] == evaluated.result["measures"]
    page = (folder / "report.html").read_text("utf-8")
    assert "We are glad, and have 97 questions." in page
    assert "27 February 2026" in page
    kept = json.loads((folder / "report.json").read_bytes())["about"]["provider_words"]
    assert (kept["response"], kept["responded"], kept["other_evidence"]) == (
        "We are glad, and have 97 questions.",
        "2026-02-27",
        "A survey.",
    )
    again = call_here(capfd, *said, "--json")
    assert again.json()["run"] == evaluated.result["run"]
    assert (folder / "report.html").read_bytes() == (evaluated.folder / "report.html").read_bytes()
    (tmp_path / "words.toml").write_text('response = "Undated."\n')
    undated = call_here(capfd, *said, "--words", tmp_path / "words.toml")
    assert (undated.code, "go together" in undated.err) == (USAGE, True)


def test_a_language_that_nobody_signed_is_refused_and_a_signed_one_is_printed(
    evaluated: Evaluated, tmp_path: Path, capfd: Captured
) -> None:
    made = copy_of(evaluated.made, tmp_path / "lab")
    settings = made.lab.paths.settings
    settings.write_text('languages = ["en", "cy"]\n' + settings.read_text("utf-8"), "utf-8")
    said = evaluate_arguments(made, "northgate")
    refused = call_here(capfd, *said)
    assert (refused.code, "no translator has signed" in refused.err) == (REFUSED, True)
    signing = ("wording", "sign", made.lab.paths.root, "--language", "cy", "--translator", "Siân Rees")
    assert call_here(capfd, *signing).code == USAGE  # nothing was confirmed
    assert call_here(capfd, *signing, "--yes").code == DONE
    assert "drafts: 0" in call_here(capfd, "wording", "status", made.lab.paths.root).out
    printed = call_here(capfd, *said, "--json")
    assert printed.json()["run"] == evaluated.result["run"]
    folder = made.lab.paths.run(printed.json()["run"])
    page = (folder / "report.cy.html").read_text("utf-8")
    assert "DRAFFT" not in page
    assert '<html lang="cy">' in page
    named = json.loads((folder / "result.json").read_bytes())["files"]
    assert named["report.cy.html"] == sha256(folder / "report.cy.html")
