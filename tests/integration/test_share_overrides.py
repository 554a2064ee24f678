"""What people ruled about links of a share holds at its next link, and is what a link from nothing would make."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from integration.test_shares import Shared, made

from counterfoil.domains import load as load_domain
from counterfoil.domains.shares import load_share
from counterfoil.lab.log import read as read_log
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.linkage import Engine, build_spine, overrides
from counterfoil.linkage.overrides import Decision, Record, override
from counterfoil.linkage.review import session
from counterfoil.linkage.review.values import Answer, Item, Queue
from counterfoil.linkage.shares import ShareResult, link_share
from counterfoil.linkage.spine import read_spine
from counterfoil.population import LAB_DATE
from counterfoil.records.load import load
from counterfoil.study.roles import ProcessRole
from counterfoil.study.tasks import TASKS

__all__ = ["made"]  # a lab with a spine and the employment share linked to it

SHARE, PRODUCT = "employment", "share employment"
SURE = 1 / (1 + 2.0**-20)  # the spine's strict threshold
End = tuple[str | None, str | None, bool]  # person_id, status, ruled


@pytest.fixture
def lab(made: Shared, tmp_path: Path) -> OpenLab:
    shutil.copytree(made.lab.paths.root, tmp_path / "lab")
    return open_lab(tmp_path / "lab")


def link(lab: OpenLab) -> ShareResult:
    return link_share(lab, SHARE, engine=Engine.CORE)


def ends(lab: OpenLab, version: str) -> Mapping[str, End]:
    """How the person of each record of the share ended."""
    folder = lab.paths.share_links(SHARE, version)
    people = pq.read_table(folder / "people.parquet").to_pylist()
    found = {row["share_person"]: row for row in pq.read_table(folder / "links.parquet").to_pylist()}
    none: dict[str, Any] = {"person_id": None, "status": None, "ruled": False}
    by_record = {row["record_id"]: found.get(row["share_person"], none) for row in people}
    return {name: (row["person_id"], row["status"], row["ruled"]) for name, row in by_record.items()}


def probabilities(lab: OpenLab, version: str) -> list[float]:
    found: list[float] = pq.read_table(lab.paths.share_keys(SHARE, version))["link_probability"].to_pylist()
    return found


def own(item: Item) -> str:
    return next(record.record_id for record in sides(item) if record.source == SHARE)


def sides(item: Item) -> tuple[Record, Record]:
    return item.pair.left, item.pair.right


def pick(review: session.Review, ended: Mapping[str, End], status: str) -> Item:
    return next(item for item in review.items if ended[own(item)][1] == status)


def rule(review: session.Review, item: Item, said: Answer) -> None:
    kept = session.answer(review, item, "ann", said, seconds=1.0, rules=True, why="the file says so")
    assert [made.decision for made in kept.overrides] == [
        Decision.MUST_LINK if said is Answer.SAME else Decision.MUST_NOT_LINK
    ]


def test_rulings_hold_at_the_next_link_and_the_analyst_is_told(lab: OpenLab, made: Shared) -> None:
    before = ends(lab, made.result.version)
    review = session.open_review(lab, product=SHARE)
    linked, weak = pick(review, before, "linked"), pick(review, before, "weak")
    rule(review, linked, Answer.DIFFERENT)
    rule(review, weak, Answer.SAME)
    session.open_review(lab, product=SHARE)  # the link that there is is still the newest
    done = link(lab)
    assert done.made
    assert done.version != made.result.version
    after = ends(lab, done.version)
    people = {(row["source"], row["record_id"]): row["person_id"] for row in read_spine(lab).people().to_pylist()}
    (other,) = (people[record.source, record.record_id] for record in sides(weak) if record.source != SHARE)
    assert after[own(weak)] == (other, "linked", True)
    assert after[own(linked)][1] != "linked"
    assert after[own(linked)][0] != before[own(linked)][0]
    touched = {before[own(linked)][0], other}
    for name, end in before.items():
        if name not in (own(linked), own(weak)) and end[0] not in touched:
            assert after[name] == end
    assert done.quality["overrides"] == {
        "must_link": 1, "must_not_link": 1, "of_absent_records": 0, "contradictions": 0
    }  # fmt: skip
    assert done.quality["people"]["linked"] == len(probabilities(lab, done.version))
    assert SURE in [pytest.approx(each, abs=1e-12) for each in probabilities(lab, done.version)]
    assert not link(lab).made


def test_a_link_with_rulings_is_what_a_link_from_nothing_makes(lab: OpenLab, made: Shared) -> None:
    """Only the keys of people, which are random, are other ones."""
    before = ends(lab, made.result.version)
    review = session.open_review(lab, product=SHARE)
    for item in review.items[:40]:
        rule(review, item, Answer.SAME if before[own(item)][1] != "linked" else Answer.DIFFERENT)
    done = link(lab)
    kept, sure = ends(lab, done.version), sorted(probabilities(lab, done.version))
    shutil.rmtree(lab.paths.share(SHARE) / "links")
    shutil.rmtree(lab.paths.analyst / "share_keys")
    shutil.rmtree(lab.paths.analyst / "shares")
    again = link(lab)
    assert ends(lab, again.version) == kept != before
    assert sorted(probabilities(lab, again.version)) == sure
    assert {**again.quality, "key": ""} == {**done.quality, "key": ""}


def test_what_is_withdrawn_leaves_no_trace_in_the_link(lab: OpenLab, made: Shared) -> None:
    before, kept = ends(lab, made.result.version), probabilities(lab, made.result.version)
    review = session.open_review(lab, product=SHARE)
    for status, said in (("linked", Answer.DIFFERENT), ("weak", Answer.SAME)):
        rule(review, pick(review, before, status), said)
    link(lab)
    assert session.undo(review, "ann") is not None
    assert session.undo(review, "ann") is not None
    assert overrides.in_force(lab.paths, share=SHARE) == ()
    done = link(lab)
    assert ends(lab, done.version) == before
    assert sorted(probabilities(lab, done.version)) == sorted(kept)


def test_a_ruling_outlives_the_spine_and_the_delivery(lab: OpenLab, made: Shared, tmp_path: Path) -> None:
    before = ends(lab, made.result.version)
    review = session.open_review(lab, product=SHARE)
    weak, linked = pick(review, before, "weak"), pick(review, before, "linked")
    rule(review, weak, Answer.SAME)
    rule(review, linked, Answer.DIFFERENT)
    domain, share = load_domain(), load_share("justice", SHARE)
    delivered = []
    for file in made.files(SHARE):  # the same people a week later, without the last of them
        table = pq.read_table(file)
        pq.write_table(table.slice(0, table.num_rows - 1), tmp_path / file.name)
        delivered.append(tmp_path / file.name)
    day = LAB_DATE + dt.timedelta(7)
    load(delivered, share.source, lab.paths, delivery=day, codes=domain.codes, today=day)
    build_spine(lab, engine=Engine.CORE, rebuild=True)
    after = ends(lab, link(lab).version)
    assert after[own(weak)][1:] == ("linked", True)
    assert after[own(linked)][1] != "linked"


def test_two_who_agree_make_an_override_of_the_share_and_one_does_not(lab: OpenLab) -> None:
    review = session.open_review(lab, Queue.THRESHOLDS, product=SHARE, twice=1.0)
    item = review.items[0]
    assert session.answer(review, item, "ann", Answer.SAME, seconds=1.0).overrides == ()
    assert not overrides.overrides_file(lab.paths, SHARE).exists()
    (made_now,) = session.answer(review, item, "bob", Answer.SAME, seconds=1.0).overrides
    assert (made_now.scope, made_now.decision, made_now.who) == (PRODUCT, Decision.MUST_LINK, "ann; bob")
    assert overrides.in_force(lab.paths) == ()
    asked = {"lab": str(lab.paths.root), "product": SHARE, "queue": "all", "twice": None}
    counted = TASKS[ProcessRole.LINKER, "review_summary"](asked, lambda *_: None)
    assert (counted["overrides"], counted["labels"]) == (1, 2)
    told = [entry for entry in read_log(lab.paths) if entry["event"] == "links overridden"]
    assert SHARE in str(told[-1])
    assert not any(record.record_id in str(told) for record in sides(item))


def test_records_of_the_share_that_are_ruled_one_person_become_one(lab: OpenLab, made: Shared) -> None:
    folder = lab.paths.share_links(SHARE, made.result.version)
    people = pq.read_table(folder / "people.parquet").to_pylist()
    first, other = people[0], next(row for row in people if row["share_person"] != people[0]["share_person"])
    (spine_record,) = read_spine(lab).people().slice(0, 1).to_pylist()
    target = Record(spine_record["source"], spine_record["record_id"])
    for row in (first, other):
        said = override(Record(SHARE, row["record_id"]), target, Decision.MUST_LINK, who="ann", why="x", scope=PRODUCT)
        overrides.add(lab.paths, said, share=SHARE)
    done = link(lab)
    after = pq.read_table(lab.paths.share_links(SHARE, done.version) / "people.parquet")
    own_rows = after.filter(pc.is_in(after["record_id"], value_set=pa.array([first["record_id"], other["record_id"]])))
    assert len(set(own_rows["share_person"].to_pylist())) == 1
    assert ends(lab, done.version)[first["record_id"]] == (spine_record["person_id"], "linked", True)
