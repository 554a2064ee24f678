"""What several results come to, and what a number of people could show: the same in both languages, or in neither."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from spec.test_pooled_report import CLEAR, result_of

from counterfoil.cli.power import _view
from counterfoil.disclosure import Measure, ProtectedPool, Released, Verdict, protect_pool
from counterfoil.effect import power_table
from counterfoil.errors import Fault, Refused
from counterfoil.lab.make import OpenLab, make_lab, open_lab
from counterfoil.population import LAB_DATE
from counterfoil.report import SEVERAL, About, Beside, render_pool
from counterfoil.report.power import power_files
from counterfoil.report.read_back import texts_of
from counterfoil.report.signed import sign
from counterfoil.study import pooling
from counterfoil.study.pooling import pool_runs
from counterfoil.units import Kind
from lib.pooled_runs import add_run
from lib.results import ABOUT, FREQUENCY, RATE
from lib.small_lab import Said, call_here, run_here

BOTH = replace(ABOUT, languages=("en", "cy"), drafts=("cy",), title=SEVERAL)
# difference, low, high of each: clear, none, and two alone
CASES: Mapping[str, tuple[tuple[float, float, float], ...]] = {
    "fewer": ((-5.1, -8.0, -2.2), (-6.3, -9.4, -3.2), (-4.4, -7.1, -1.7)),
    "more": ((5.1, 2.2, 8.0), (6.3, 3.2, 9.4), (4.4, 1.7, 7.1)),
    "not_enough_evidence": ((-1.1, -6.0, 3.8), (2.3, -3.4, 8.0), (0.4, -4.1, 4.9)),
    "two": ((-5.1, -8.0, -2.2), (-6.3, -9.4, -3.2)),
}
ENGLISH = re.compile(r"\b(the|people|difference|range|from|together|average|points|hidden|analysed|chance)\b")


def pool_of(case: str, measure: Measure = RATE) -> ProtectedPool:
    """Results of made-up services in years that are said in each way that there is."""
    years = ((2015, 2016), (2017, None), (None, 2019))
    return protect_pool(
        [
            Released(run=f"run{n}", title=f"Service {'ABC'[n]}", years=years[n], date=LAB_DATE, reliable=n > 0,
                     difference=middle, low=low, high=high, decimals=1, plan="")
            for n, (middle, low, high) in enumerate(CASES[case])
        ],
        measure,
    )  # fmt: skip


def text_of(page: bytes) -> str:
    return re.sub(r"<[^>]*>", " ", re.sub(r"<style>.*?</style>", "", page.decode(), flags=re.S))


def numbers_of(text: str) -> list[str]:
    return sorted(re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text))


# Several results together


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("measure", [RATE, FREQUENCY], ids=lambda measure: measure.name)
def test_a_pool_has_each_file_in_both_languages_with_the_same_numbers(case: str, measure: Measure) -> None:
    pool = pool_of(case, measure)
    assert ("two" if pool.verdict is None else pool.verdict.value) == case
    files = render_pool(pool, BOTH, Beside(left_out=("run7",)), pdf=False).files
    assert {f"pool{cy}.{kind}" for cy in ("", ".cy") for kind in ("html", "ods", "xlsx")} <= set(files)
    english, welsh = files["pool.html"], files["pool.cy.html"]
    assert numbers_of(text_of(english)) == numbers_of(text_of(welsh))
    for kind in ("ods", "xlsx"):
        told = [set(numbers_of(texts_of(f"pool{cy}.{kind}", files[f"pool{cy}.{kind}"]))) for cy in ("", ".cy")]
        assert told[0] == told[1]
    assert not ENGLISH.search(without_names(text_of(welsh)))
    assert ENGLISH.search(without_names(text_of(english)))  # the check above can fail
    said = json.loads(files["pool.json"])
    assert set(numbers_of(said["translations"]["cy"]["headline"])) == set(numbers_of(said["headline"]))
    assert len(said["translations"]["cy"]["caveats"]) == len(said["caveats"]) == 1


def without_names(text: str) -> str:
    for name in sorted((*ABOUT.texts(), "The Bridge Trust", "English", "Cymraeg"), key=len, reverse=True):
        text = text.replace(name, " ")
    return text


def test_each_page_of_a_pool_leads_to_the_other_and_a_draft_is_loud() -> None:
    files = render_pool(pool_of("fewer"), BOTH, Beside()).files
    english, welsh = (files[name].decode() for name in ("pool.html", "pool.cy.html"))
    assert '<a href="pool.cy.html" lang="cy" hreflang="cy">Cymraeg</a>' in english
    assert '<a href="pool.html" lang="en" hreflang="en">English</a>' in welsh
    assert '<html lang="cy">' in welsh
    assert "DRAFFT" in welsh
    assert "DRAFT" not in english
    assert "DRAFFT" in texts_of("pool.cy.ods", files["pool.cy.ods"])
    assert welsh.count("<tr") == english.count("<tr")
    for said in ("2015 i 2016", "o 2017 ymlaen", "hyd at 2019", "Gwasanaethau o’r un fath"):
        assert said in welsh
    for said in ("2015 to 2016", "from 2017", "to 2019", SEVERAL):
        assert said in english
    signed = render_pool(pool_of("fewer"), replace(BOTH, drafts=()), Beside()).files
    assert "DRAFFT" not in signed["pool.cy.html"].decode()


def test_the_tables_as_csv_are_there_once_and_are_told_of_in_both() -> None:
    files = render_pool(pool_of("fewer"), BOTH, Beside()).files
    assert sorted(name for name in files if name.endswith(".csv")) == ["tables/pool.csv", "tables/versions.csv"]
    assert "2015 to 2016" in files["tables/pool.csv"].decode()
    told = json.loads(files["tables/pool.csv-metadata.json"])
    assert [each["@language"] for each in told["dc:title"]] == ["en", "cy"]
    assert told["dc:title"][1]["@value"].startswith("Gwasanaethau o’r un fath: ")


def test_r22_a_number_that_was_not_released_is_found_on_the_welsh_page(monkeypatch: pytest.MonkeyPatch) -> None:
    from counterfoil.report import pool as pool_page

    page = pool_page._page

    def planted(pool: ProtectedPool, about: About, beside: Beside, words: Any) -> str:
        made = page(pool, about, beside, words)
        return made if words.language == "en" else made.replace("</main>", "<p>47</p></main>")

    monkeypatch.setattr(pool_page, "_page", planted)
    with pytest.raises(Fault, match=r"is in pool\.cy\.html\."):
        render_pool(pool_of("fewer"), BOTH, Beside())


@pytest.mark.parametrize("kind", Kind)
def test_what_is_said_of_each_kind_of_measure_has_its_numbers_in_both(kind: Kind) -> None:
    measure = Measure("m", "Something", kind, unit="points a person" if kind is Kind.AMOUNT else "")
    for case in CASES:
        said = json.loads(render_pool(pool_of(case, measure), BOTH, Beside()).files["pool.json"])
        assert set(numbers_of(said["translations"]["cy"]["headline"])) == set(numbers_of(said["headline"]))


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenLab:
    """A lab that asks for Welsh, with three runs of one service."""
    monkeypatch.setattr(pooling, "run_role", run_here)
    make_lab(tmp_path / "lab", today=LAB_DATE)
    made = open_lab(tmp_path / "lab")
    for place in range(3):
        add_run(made, f"run{place}", result_of(CLEAR[place]), people=[f"p{place}"], years=(2015 + place, 2015 + place))
    asks_for(made, "en", "cy")
    return open_lab(tmp_path / "lab")


def asks_for(lab: OpenLab, *languages: str) -> None:
    settings = lab.paths.root / "lab.toml"
    kept = [line for line in settings.read_text().splitlines() if not line.startswith("languages")]
    settings.write_text("\n".join([f"languages = {json.dumps(list(languages))}", *kept]) + "\n")


RUNS = ("run0", "run1", "run2")


def test_a_pool_in_a_language_that_nobody_signed_is_refused(lab: OpenLab) -> None:
    with pytest.raises(Refused, match="no translator has signed") as refused:
        pool_runs(lab.paths.root, RUNS)
    assert (refused.value.exit_code, refused.value.rule) == (3, "language")
    assert not lab.paths.pool("x").parent.exists()
    sign("cy", lab.paths.translation("cy"), translator="Siân Rees", on=LAB_DATE)
    found = pool_runs(lab.paths.root, RUNS)
    folder = lab.paths.pool(found["pool"])
    welsh = (folder / "pool.cy.html").read_text("utf-8")
    assert found["verdict"] == Verdict.FEWER.value
    assert "o bobl ym mhob 100" in welsh
    assert "DRAFFT" not in welsh


def test_a_language_that_is_switched_off_leaves_no_page_behind(lab: OpenLab) -> None:
    sign("cy", lab.paths.translation("cy"), translator="Siân Rees", on=LAB_DATE)
    both = pool_runs(lab.paths.root, RUNS)
    folder = lab.paths.pool(both["pool"])
    assert (folder / "pool.cy.html").is_file()
    shutil.copytree(folder, lab.paths.root / "before")
    asks_for(lab, "en")
    one = pool_runs(lab.paths.root, RUNS)
    assert one == both  # languages are no part of the numbers or of the name
    assert not list(folder.glob("*.cy.*"))
    assert "hreflang" not in (folder / "pool.html").read_text("utf-8")


# What a number of people could show


@pytest.mark.parametrize("people", [40, 80, 240, 5_000, 100_000])
def test_what_people_could_show_has_the_same_numbers_in_both_languages(people: int) -> None:
    files = power_files(_view(power_table(people, 0.4)), "power.html", ("en", "cy"), ("cy",))
    assert list(files) == ["power.html", "power.cy.html"]
    english, welsh = (files[name] for name in files)
    assert numbers_of(text_of(english.encode())) == numbers_of(text_of(welsh.encode()))
    assert not ENGLISH.search(without_names(text_of(welsh.encode())))
    assert '<html lang="cy">' in welsh
    assert '<a href="power.html" lang="en" hreflang="en">English</a>' in welsh
    assert '<a href="power.cy.html" lang="cy" hreflang="cy">Cymraeg</a>' in english
    assert ("DRAFFT" in welsh, "DRAF" in english) == (True, False)


def test_the_curve_alone_is_there_in_both_languages() -> None:
    files = power_files(_view(power_table(500, 0.4)), "c.svg", ("en", "cy"))
    assert list(files) == ["c.svg", "c.cy.svg"]
    assert "Pobl a ddadansoddir" in files["c.cy.svg"]
    drawn = [re.findall(r'points="([^"]*)"', files[name])[0] for name in files]
    assert drawn[0] == drawn[1]


def test_the_command_takes_rules_and_languages_of_a_lab(lab: OpenLab, capfd: pytest.CaptureFixture[str]) -> None:
    out = lab.paths.root.parent / "power.html"
    asked = ("power", "--people", "500", "--lab", lab.paths.root, "--out", out, "--json")
    refused: Said = call_here(capfd, *asked)
    assert (refused.code, out.exists()) == (3, False)
    sign("cy", lab.paths.translation("cy"), translator="Siân Rees", on=LAB_DATE)
    done = call_here(capfd, *asked)
    assert done.code == 0
    assert done.json()["files"] == [str(out), str(out.with_name("power.cy.html"))]
    assert "Yr hyn y gallai 500 o bobl ei ddangos" in out.with_name("power.cy.html").read_text("utf-8")
    settings = lab.paths.root / "lab.toml"
    text = settings.read_text("utf-8")
    assert "# min_submitted = 60" in text
    settings.write_text(text.replace("# min_submitted = 60", "min_submitted = 600"))
    strict = call_here(capfd, *asked).json()
    assert strict["sentences"] == [
        "Fewer than 600 people: no result can be published. Send more people, or more years."
    ]
    without = call_here(capfd, "power", "--people", "500", "--json").json()
    assert len(without["sentences"]) > 4
