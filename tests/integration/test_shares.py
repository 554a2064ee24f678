"""Shares of other departments: linked by themselves, read by their own key, never part of the spine."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from counterfoil.cohort.shares import read_share, share_covariates
from counterfoil.domains import load as load_domain
from counterfoil.domains.shares import load_share
from counterfoil.errors import Refused, UsageError
from counterfoil.lab.make import OpenLab, make_lab, open_lab
from counterfoil.linkage import Engine, build_spine
from counterfoil.linkage.overrides import overrides_file, read_overrides
from counterfoil.linkage.quality_report.sections import sections_of
from counterfoil.linkage.review import decisions, session
from counterfoil.linkage.review.values import Reason
from counterfoil.linkage.shares import ShareResult, link_share, share_key
from counterfoil.population import LAB_DATE, generate
from counterfoil.records.load import load
from counterfoil.study.roles import ProcessRole
from counterfoil.study.tasks import TASKS
from counterfoil.warehouse import query

PEOPLE = 3_000
SOURCES = ("pnc", "prison")  # two are enough for what is tested here


@dataclass(frozen=True, slots=True)
class Shared:
    """A lab with a spine and the employment share linked to it."""

    population: Path
    lab: OpenLab
    result: ShareResult

    def files(self, share: str) -> list[Path]:
        tables = load_share("justice", share).source.tables
        return [self.population / "shares" / f"{share}_{table}.parquet" for table in tables]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    root = tmp_path_factory.mktemp("shares")
    generate(root / "population", people=PEOPLE, seed=4, shares=True)
    lab = make_lab(root / "lab", today=LAB_DATE)
    domain = load_domain()
    for name in SOURCES:
        files = [root / "population" / "sources" / f"{name}_{t}.parquet" for t in domain.sources[name].tables]
        load(files, domain.source(name), lab.paths, delivery=LAB_DATE, codes=domain.codes, today=LAB_DATE)
    build_spine(lab, engine=Engine.CORE)
    before = spine_bytes(lab)
    shared = Shared(root / "population", lab, ShareResult("", "", {}, made=False))
    task = TASKS[ProcessRole.INTAKE, "load"]
    delivered = [str(file) for file in shared.files("employment")]
    task({"lab": str(lab.paths.root), "source": "employment", "files": delivered, "date": None}, lambda *_: None)
    result = link_share(lab, "employment", engine=Engine.CORE, truth=root / "population" / "truth")
    assert spine_bytes(lab) == before
    return Shared(root / "population", lab, result)


def spine_bytes(lab: OpenLab) -> dict[str, bytes]:
    folder = lab.paths.latest_spine()
    assert folder is not None
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def texts(folder: Path) -> Iterator[tuple[Path, set[str]]]:
    """Every text in the tables under a folder."""
    for path in sorted(folder.rglob("*.parquet")):
        table = pq.read_table(path)
        strings = [c for c in table.column_names if pa.types.is_string(table.schema.field(c).type)]
        yield path, {value for column in strings for value in pc.unique(table[column]).to_pylist()}


def test_the_share_is_linked_well_and_better_than_by_exact_keys(made: Shared) -> None:
    truth = made.result.quality["truth"]
    model, exact = (truth[name]["all"] for name in ("model", "exact_keys"))
    assert model["precision"]["rate"] > 0.995
    assert model["recall"]["rate"] > 0.92
    assert model["recall"]["rate"] > exact["recall"]["rate"]
    assert set(truth["model"]["by_sex"]) == {"1", "2"}


def test_nobody_of_either_side_is_linked_twice(made: Shared) -> None:
    keys = pq.read_table(made.lab.paths.share_keys("employment", made.result.version))
    assert len(pc.unique(keys["share_key"])) == len(pc.unique(keys["register_key"])) == keys.num_rows > 0
    assert keys.column_names == ["share_key", "register_key", "link_probability"]
    ends = made.result.quality["people"]
    assert ends["linked"] == keys.num_rows
    assert ends["linked"] + ends["tied"] + ends["not_found"] == ends["all"]


def test_no_id_of_the_share_is_in_the_spine_nor_the_other_way_round(made: Shared) -> None:
    paths = made.lab.paths
    people = pq.read_table(made.population / "shares" / "employment_people.parquet")
    keys = pq.read_table(paths.share_keys("employment", made.result.version))
    of_share = {*people["record_id"].to_pylist(), *people["nino"].to_pylist(), *keys["share_key"].to_pylist()}
    for folder in (paths.linker / "spine", paths.linker / "extracts", paths.analyst / "extracts"):
        for path, found in texts(folder):
            assert not found & of_share, path
    for path, found in texts(paths.analyst / "register_keys"):
        assert not found & of_share, path
    spine = pq.read_table(paths.latest_spine() / "people.parquet")  # type: ignore[operator]
    of_spine = {*spine["record_id"].to_pylist(), *spine["person_id"].to_pylist(), *keys["register_key"].to_pylist()}
    own = paths.linker / "shares" / "employment"
    for folder in (own / "identifiers", own / "held", paths.analyst / "shares"):
        for path, found in texts(folder):
            assert not found & of_spine, path
    assert not set(keys["share_key"].to_pylist()) & set(keys["register_key"].to_pylist())


def test_the_analyst_has_keys_and_facts_of_linked_people_and_no_id_of_the_department(made: Shared) -> None:
    paths = made.lab.paths
    people = pq.read_table(made.population / "shares" / "employment_people.parquet")
    theirs = {*people["record_id"].to_pylist(), *people["nino"].to_pylist()}
    keys = set(pq.read_table(paths.share_keys("employment", made.result.version))["share_key"].to_pylist())
    for path, found in texts(paths.analyst):
        assert not found & theirs, path
    for table in ("facts", "jobs", "claims"):
        facts = pq.read_table(paths.share_facts("employment", made.result.version) / f"{table}.parquet")
        assert set(facts["share_key"].to_pylist()) <= keys
        assert not {"record_id", "job_id", "claim_id", "surname", "nino"} & set(facts.column_names)


def test_a_second_link_of_the_same_inputs_is_not_made_again(made: Shared) -> None:
    truth = made.population / "truth"
    again = link_share(made.lab, "employment", engine=Engine.CORE, truth=truth)
    assert (again.made, again.version) == (False, made.result.version)
    assert again.quality == json.loads(json.dumps(dict(made.result.quality)))


def test_each_share_has_a_secret_of_its_own(made: Shared) -> None:
    secret = made.lab.paths.share_secret("employment")
    assert secret.stat().st_mode & 0o077 == 0
    assert secret.read_bytes() != (made.lab.paths.linker / "register.secret").read_bytes()


def test_a_closed_gateway_refuses_loading_linking_and_reading(made: Shared) -> None:
    ends = load_share("justice", "employment").gateway.ends
    settings = made.lab.paths.settings
    kept = settings.read_text(encoding="utf-8")
    try:
        after = ends + dt.timedelta(1)
        settings.write_text(kept.replace(LAB_DATE.isoformat(), after.isoformat()), encoding="utf-8")
        late = open_lab(made.lab.paths.root)
        with pytest.raises(Refused, match="gateway") as linked:
            link_share(late, "employment", engine=Engine.CORE)
        files = [str(file) for file in made.files("employment")]
        arguments = {"lab": str(late.paths.root), "source": "employment", "files": files, "date": None}
        with pytest.raises(Refused) as loaded:
            TASKS[ProcessRole.INTAKE, "load"](arguments, lambda *_: None)
        with pytest.raises(Refused) as read:
            read_share(late.paths, "employment", today=after)
        assert {error.value.rule for error in (linked, loaded, read)} == {"gateway"}
        assert read_share(late.paths, "employment", today=ends).num_rows > 0
    finally:
        settings.write_text(kept, encoding="utf-8")


def test_an_unlinked_or_unknown_share_is_said(made: Shared) -> None:
    with pytest.raises(UsageError, match="is not linked"):
        read_share(made.lab.paths, "education", today=LAB_DATE)
    with pytest.raises(UsageError, match="is not loaded"):
        link_share(made.lab, "education", engine=Engine.CORE)
    with pytest.raises(UsageError, match="education, employment"):
        link_share(made.lab, "health", engine=Engine.CORE)
    with pytest.raises(UsageError, match="facts, jobs, claims"):
        read_share(made.lab.paths, "employment", "wages", today=LAB_DATE)


def test_a_justice_persons_covariates_are_of_before_the_index_date(made: Shared) -> None:
    """For the person with most jobs, asked on the day a job starts, the day after, and the day after a job ended."""
    paths = made.lab.paths
    jobs = read_share(paths, "employment", "jobs", today=LAB_DATE)
    sql = """SELECT register_key, start_date, end_date FROM jobs WHERE start_date IS NOT NULL
             AND end_date > start_date + 30 AND register_key NOT IN (
                SELECT register_key FROM jobs WHERE end_date IS NULL OR start_date IS NULL)
             AND register_key NOT IN (SELECT register_key FROM jobs WHERE month(start_date) = 4 AND day(start_date) = 6)
             ORDER BY register_key, start_date"""
    steady = query(sql, {"jobs": jobs}).to_pylist()
    begun = {row["register_key"]: row["start_date"] for row in reversed(jobs.to_pylist())}  # the first of each
    first = next(row for row in steady if row["start_date"] == begun[row["register_key"]])
    key, start, end = first["register_key"], first["start_date"], first["end_date"]
    assert min(row["start_date"] for row in jobs.to_pylist() if row["register_key"] == key) == start
    days = [start, start + dt.timedelta(1), start + dt.timedelta(15), end + dt.timedelta(20)]
    events = pa.table(
        {
            "index_event_id": pa.array([1, 2, 3, 4, 5], pa.int64()),
            "register_key": [key] * 4 + ["nobody"],
            "index_date": pa.array([*days, start], pa.date32()),
        }
    )
    found = share_covariates(paths, "employment", events, today=LAB_DATE).to_pylist()
    assert [row["employment_known"] for row in found] == [True] * 4 + [False]
    assert [row["employment_at_index"] for row in found[:3]] == [False, True, True]
    assert found[0]["employment_weeks"] == 0.0
    assert found[1]["employment_weeks"] == 0.1  # one day
    assert found[2]["employment_weeks"] == 2.1  # 15 days
    assert found[3]["employment_month_before"] is True
    assert {value for name, value in found[4].items() if name not in ("index_event_id", "employment_known")} == {None}


@pytest.mark.slow
def test_a_share_key_stays_over_deliveries_and_rebuilds(made: Shared, tmp_path: Path) -> None:
    """A second delivery gives everybody another record under a lesser id, and leaves some out; then a new spine."""
    shutil.copytree(made.lab.paths.root, tmp_path / "lab")
    lab, truth = open_lab(tmp_path / "lab"), None
    first = share_keys(lab, made.result.version)
    tables = {file: pq.read_table(file) for file in made.files("employment")}
    people = tables[made.files("employment")[0]]
    again = pa.array([f"!{name}" for name in people["record_id"].to_pylist()])
    added = people.set_column(people.column_names.index("record_id"), "record_id", again)
    tables[made.files("employment")[0]] = pa.concat_tables([people.slice(20), added])
    delivered = []
    for file, table in tables.items():
        pq.write_table(table, tmp_path / file.name)
        delivered.append(tmp_path / file.name)
    domain, share = load_domain(), load_share("justice", "employment")
    day = LAB_DATE + dt.timedelta(7)
    load(delivered, share.source, lab.paths, delivery=day, codes=domain.codes, today=day)
    second = link_share(lab, "employment", engine=Engine.CORE, truth=truth)
    assert second.made
    now = share_keys(lab, second.version)
    kept = [now[name] == key for name, key in first.items() if name in now]
    assert len(kept) == people.num_rows - 20
    merged = pq.read_table(lab.paths.share_links("employment", second.version) / "crosswalk.parquet")
    moved = len(set(merged.filter(pc.equal(merged["status"], "kept"))["old_person_id"].to_pylist()))
    assert sum(kept) >= 0.99 * len(kept)
    assert moved >= 0.98 * len(set(first.values()))

    build_spine(lab, engine=Engine.CORE, rebuild=True)
    third = link_share(lab, "employment", engine=Engine.CORE, truth=truth)
    assert third.made
    assert share_keys(lab, third.version) == now


# How good its links are, by people who look


@pytest.fixture(scope="module")
def reviewed(made: Shared, tmp_path_factory: pytest.TempPathFactory) -> OpenLab:
    """A copy of the lab, in which two simulated reviewers who are never wrong looked at the share's whole queue."""
    shutil.copytree(made.lab.paths.root, tmp_path_factory.mktemp("reviewed") / "lab", dirs_exist_ok=True)
    lab = open_lab(tmp_path_factory.getbasetemp() / "reviewed0" / "lab")
    asked = {
        "lab": str(lab.paths.root), "product": "employment", "queue": "all", "limit": None, "twice": None,
        "truth": str(made.population / "truth"), "reviewers": 2, "error_rate": 0.0, "seed": 1,
    }  # fmt: skip
    done = TASKS[ProcessRole.LINKER, "review_simulate"](asked, lambda *_: None)
    assert done["product"] == "share employment"
    assert done["labels"] == 2 * done["pairs"]
    return lab


def test_a_share_is_judged_by_its_own_sample_and_its_own_answers(made: Shared, reviewed: OpenLab) -> None:
    report = TASKS[ProcessRole.LINKER, "quality"]({"lab": str(reviewed.paths.root)}, lambda *_: None)["report"]
    assert list(report["products"]) == ["spine", "share employment"]
    assert report["products"]["spine"]["review"]["estimate"] is None
    share = report["products"]["share employment"]
    assert share["review"]["estimate"]["labels"] == sum(row["sampled"] for row in share["review"]["strata"])
    linked = [row["pairs"] for row in share["review"]["strata"] if row["standing"] == "linked"]
    assert sum(linked) == made.result.quality["people"]["linked"]
    (coverage,) = (section for section in sections_of(report) if section.name == "coverage")
    (everybody,) = (row for row in coverage.tables[0].rows if row[0].startswith("everybody"))
    assert everybody[2] == f"{sum(linked):,}"
    (stated,) = (row for row in share["rows"] if row["basis"] == "Sampled review")
    true = made.result.quality["truth"]["model"]["all"]
    for name in ("precision", "recall"):  # within twice the 95% interval: missed once in ten thousand
        rate, low, high = (stated[name][end] for end in ("rate", "low", "high"))
        assert 2 * low - rate <= true[name]["rate"] <= 2 * high - rate
    (row,) = (row for row in share["rows"] if row["basis"] == "Truth")
    assert (row["precision"], row["recall"]) == (true["precision"], true["recall"])


def test_answers_about_a_share_and_what_they_rule_lie_with_it(reviewed: OpenLab) -> None:
    assert not decisions.decisions_file(reviewed.paths).is_file()
    assert decisions.decisions_file(reviewed.paths, "share employment").is_relative_to(
        reviewed.paths.linker / "shares" / "employment"
    )
    assert decisions.answers(reviewed.paths) == ()
    assert decisions.answers(reviewed.paths, "share education") == ()
    assert read_overrides(reviewed.paths).num_rows == 0
    assert overrides_file(reviewed.paths, "employment").is_relative_to(reviewed.paths.linker / "shares" / "employment")
    review = session.open_review(reviewed, product="employment")
    ruled = read_overrides(reviewed.paths, share="employment")
    assert set(ruled["scope"].to_pylist()) == {"share employment"}
    assert ruled.num_rows == len(review.items)  # two who agree on each
    assert session.undo(review, "simulated 1") is not None
    assert session.progress_of(review, "simulated 1").answered == len(review.items) - 1
    assert read_overrides(reviewed.paths, share="employment").num_rows == len(review.items) - 1


def test_both_records_of_a_pair_are_shown_with_the_weight_of_the_shares_model(reviewed: OpenLab) -> None:
    review = session.open_review(reviewed, product="employment")
    for shown in session.show_items(review, [*review.items[:10], *review.items[-10:]]):
        assert shown.waterfall.match_weight == pytest.approx(shown.item.weight, abs=1e-9)
        assert load_share("justice", "employment").source.label in shown.sources
        assert any(line.left.raw and line.right.raw for line in shown.lines)
    near = [item for item in review.items if item.reason is Reason.THRESHOLD]
    assert near
    assert all(abs(float(item.weight or 0) - 8.0) < 3.0 or "comes as near" in item.why for item in near)


def test_a_share_that_is_closed_or_not_linked_now_is_not_reviewed(reviewed: OpenLab, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="link LAB --share education"):
        session.open_review(reviewed, product="education")
    shutil.copytree(reviewed.paths.root, tmp_path / "lab")
    lab = open_lab(tmp_path / "lab")
    build_spine(lab, engine=Engine.CORE, rebuild=True)
    with pytest.raises(UsageError, match="is not linked to the newest spine"):
        session.open_review(lab, product="employment")
    toml = lab.paths.root / "lab.toml"
    toml.write_text(toml.read_text().replace(LAB_DATE.isoformat(), "2099-01-01"))
    with pytest.raises(Refused, match="gateway"):
        session.open_review(open_lab(tmp_path / "lab"), product="employment")


def share_keys(lab: OpenLab, version: str) -> dict[str, str]:
    """The share key of each record of the employment share, linked or not."""
    people = pq.read_table(lab.paths.share_links("employment", version) / "people.parquet")
    secret = lab.paths.share_secret("employment").read_bytes()
    pairs = zip(people["record_id"].to_pylist(), people["share_person"].to_pylist(), strict=True)
    return {record: share_key(secret, person) for record, person in pairs}
