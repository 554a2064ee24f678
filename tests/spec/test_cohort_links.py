"""How one entry of a cohort is decided: the order of evidence, ambiguity, and what the provider never learns.

The model is set by hand, so that every weight can be added up on paper. All in bits: prior -10; name 10 same, -5 other;
birth date 10 same, -5 other; postcode 8 same, 0 other; PNC or prison number 20 same, 0 other. Medium is 14.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from counterfoil.linkage import LinkStatus, Spine, link_cohort
from counterfoil.linkage.clusters import Strictness
from counterfoil.linkage.cohort import exact_baseline
from counterfoil.linkage.model import Model, Resources, bounded, splink_settings
from counterfoil.linkage.prepare import prepare
from counterfoil.linkage.specification import load_specification
from counterfoil.warehouse import write_table
from lib.links import assert_sound_cohort, record, table_of

SPECIFICATION = load_specification("justice")
RESOURCES = Resources(threads=1, memory="1GB")
BITS = {
    ("name", "same forename and surname"): 10,
    ("name", "other names"): -5,
    ("name", "same surname, other forename"): 0,
    ("date_of_birth", "same"): 10,
    ("date_of_birth", "other"): -5,
    ("postcode", "same"): 8,
    ("pnc_number", "same"): 20,
    ("prison_number", "same"): 20,
}
PRIOR = 1 / (1 + 2**10)
DAY = dt.date(1980, 3, 4)
PNC, OTHER_PNC = "1999/0000001A", "1999/0000002B"


def _by_hand() -> Model:
    """The justice model with the weights above, and without term frequencies."""
    settings = splink_settings(SPECIFICATION)
    settings["probability_two_random_records_match"] = PRIOR
    for comparison in settings["comparisons"]:
        for level in comparison["comparison_levels"]:
            level.pop("tf_adjustment_column", None)
            if level.get("is_null_level"):
                continue
            bits = BITS.get((comparison["output_column_name"], level["label_for_charts"]), 0)
            level["u_probability"] = 2.0**-21
            level["m_probability"] = 2.0 ** (bits - 21)
    done, bounds = bounded(settings, random_pairs=1)
    assert not bounds
    return Model(done, {})


@pytest.fixture(scope="module")
def spine(tmp_path_factory: pytest.TempPathFactory) -> Spine:
    """Two people who share their names and birth date (A, B), one alone (C), one with a common surname (D)."""
    folder: Path = tmp_path_factory.mktemp("spine") / "2026-01-31-001-abcdef01"
    people = [
        ("A", {"forename1_std": "JOHN", "surname_std": "SMITH", "dob": DAY, "postcode_std": "AB11AA", "pnc_std": PNC}),
        ("A", {"forename1_std": "JOHN", "surname_std": "SMITH", "dob": DAY}),
        ("B", {"forename1_std": "JOHN", "surname_std": "SMITH", "dob": DAY, "postcode_std": "CD22CD"}),
        ("C", {"forename1_std": "MARY", "surname_std": "LLOYD", "dob": DAY, "postcode_std": "CD22CD"}),
        ("D", {"forename1_std": "ANNE", "surname_std": "SMITH", "dob": DAY, "pnc_std": OTHER_PNC}),
    ]
    rows = [record(source="pnc", record_id=f"R{i}", **given) for i, (_, given) in enumerate(people)]
    encoded = prepare(table_of(rows), SPECIFICATION)
    keys = pa.array([name * 32 for name, _ in people])
    write_table(encoded, folder / "encoded.parquet")
    write_table(_people(encoded, keys, loose=[1, 1, 2, 3, 4]), folder / "people.parquet")
    thresholds = {Strictness.STRICT: 20.0, Strictness.MEDIUM: 14.0, Strictness.LOOSE: 8.0}
    return Spine(folder, _by_hand(), thresholds, SPECIFICATION)


def _people(encoded: pa.Table, keys: pa.Array, *, loose: list[int]) -> pa.Table:
    people = encoded.select(["source", "record_id"]).append_column("person_id", keys)
    return people.append_column("cluster_loose", pa.array(loose, pa.int64()))


def _entry(spine: Spine, *, without_identifiers: bool = False, **given: Any) -> dict[str, Any]:
    entries = table_of([record(source="cohort", record_id="E1", **given)])
    links = link_cohort(entries, spine, resources=RESOURCES, threshold=14.0, without_identifiers=without_identifiers)
    assert_sound_cohort(links, entries, spine.people())
    row: dict[str, Any] = links.to_pylist()[0]
    return row


MARY: dict[str, Any] = {"forename1_std": "MARY", "surname_std": "LLOYD", "dob": DAY}
JOHN: dict[str, Any] = {"forename1_std": "JOHN", "surname_std": "SMITH", "dob": DAY}
STRANGER: dict[str, Any] = {"forename1_std": "OWEN", "surname_std": "PRICE", "dob": dt.date(1950, 9, 9)}


@pytest.mark.parametrize(
    ("given", "status", "person", "evidence", "weight"),
    [
        # name 10, birth date 10, postcode 8, prior -10
        ({**MARY, "postcode_std": "CD22CD"}, LinkStatus.LINKED, "C", "model", 18),
        # name 10, birth date 10, prior -10: below medium
        (MARY, LinkStatus.NOT_FOUND, None, None, 10),
        # A and B weigh 10 each: below medium, so not found and not ambiguous
        (JOHN, LinkStatus.NOT_FOUND, None, None, 10),
        # the postcode is A's: 18 against 10
        ({**JOHN, "postcode_std": "AB11AA"}, LinkStatus.LINKED, "A", "model", 18),
        # A's number, confirmed by surname and birth date: 10 + 10 + 20 - 10
        ({**JOHN, "pnc_std": PNC}, LinkStatus.LINKED, "A", "pnc", 30),
        # A's number, confirmed by birth date alone: name -5, birth date 10, number 20, prior -10
        ({**MARY, "pnc_std": PNC}, LinkStatus.LINKED, "A", "pnc", 15),
        # A's number and nothing that confirms it: number 20, name -5, birth date -5, prior -10
        ({**STRANGER, "pnc_std": PNC}, LinkStatus.NOT_FOUND, None, None, 0),
        # nobody near
        (STRANGER, LinkStatus.NOT_FOUND, None, None, None),
        # D's number decides, although the model finds C as likely: the order of evidence
        (
            {**MARY, "surname_std": "SMITH", "pnc_std": OTHER_PNC, "postcode_std": "CD22CD"},
            LinkStatus.LINKED,
            "D",
            "pnc",
            20,
        ),
    ],
)
def test_the_order_of_evidence(
    spine: Spine,
    given: dict[str, Any],
    status: LinkStatus,
    person: str | None,
    evidence: str | None,
    weight: float | None,
) -> None:
    found = _entry(spine, **given)
    assert (found["link_status"], found["evidence"]) == (status.value, evidence)
    assert found["person_id"] == (person * 32 if person else None)
    assert found["match_weight"] == (None if weight is None else pytest.approx(weight, abs=1e-6))


def test_two_people_within_three_bits_are_ambiguous(spine: Spine) -> None:
    """A number that two people hold decides nothing, and the model finds both as likely."""
    both = _with_shared_number(spine)
    found = _entry(both, **JOHN, prison_number_std="A1234BC")
    assert found["link_status"] == LinkStatus.AMBIGUOUS.value
    assert found["match_weight"] == pytest.approx(30, abs=1e-6)
    assert found["also"] == []


def test_two_clusters_that_are_one_person_at_loose_are_no_rivals(spine: Spine) -> None:
    """A and B joined at loose: 30 bits each, so the entry is the person that both are."""
    found = _entry(_with_shared_number(spine, loose=[1, 1, 1, 3, 4]), **JOHN, prison_number_std="A1234BC")
    assert found["link_status"] == LinkStatus.LINKED.value
    assert (found["person_id"], found["also"]) == ("A" * 32, ["B" * 32])
    assert found["evidence"] == "model"


def test_a_third_person_who_comes_as_near_is_still_a_rival(spine: Spine) -> None:
    """A and B are one person, and C holds the names, the birth date and the number too."""
    joined = _with_shared_number(spine, loose=[1, 1, 1, 3, 4], all_john=True)
    found = _entry(joined, **JOHN, prison_number_std="A1234BC")
    assert (found["link_status"], found["person_id"], found["also"]) == (LinkStatus.AMBIGUOUS.value, None, [])


def test_a_cluster_of_the_person_that_weighs_less_than_the_threshold_is_not_taken(spine: Spine) -> None:
    """A has name, birth date and postcode: 18. B, the same person at loose, has 10: not within 3 bits."""
    joined = _with_shared_number(spine, loose=[1, 1, 1, 3, 4])
    found = _entry(joined, **JOHN, postcode_std="AB11AA")
    assert (found["link_status"], found["person_id"], found["also"]) == (LinkStatus.LINKED.value, "A" * 32, [])


def _with_shared_number(spine: Spine, loose: Sequence[int] = (1, 1, 2, 3, 4), *, all_john: bool = False) -> Spine:
    encoded = spine.encoded()
    at = encoded.column_names.index("prison_number_std")
    numbers = pa.array(["A1234BC", None, "A1234BC", None, None], pa.string())
    if all_john:
        rows = [record(source="pnc", record_id=f"R{i}", **JOHN, prison_number_std="A1234BC") for i in range(5)]
        encoded, numbers = prepare(table_of(rows), spine.specification), pa.array(["A1234BC"] * 5, pa.string())
    folder = Path(tempfile.mkdtemp(dir=spine.folder.parent)) / "2026-01-31-002-abcdef02"
    write_table(encoded.set_column(at, "prison_number_std", numbers), folder / "encoded.parquet")
    write_table(_people(encoded, spine.people()["person_id"], loose=list(loose)), folder / "people.parquet")
    return Spine(folder, spine.model, spine.thresholds, spine.specification)


def test_without_identifiers_numbers_are_not_used(spine: Spine) -> None:
    found = _entry(spine, **JOHN, pnc_std=PNC, without_identifiers=True)
    assert found["link_status"] == LinkStatus.NOT_FOUND.value
    assert found["match_weight"] == pytest.approx(10, abs=1e-6)


def test_link_probability_is_that_of_the_weight(spine: Spine) -> None:
    """18 bits: odds of 2 to the 18."""
    found = _entry(spine, **MARY, postcode_std="CD22CD")
    assert found["link_probability"] == pytest.approx(2**18 / (1 + 2**18), abs=1e-9)


def test_entries_keep_their_order_and_may_share_a_person(spine: Spine) -> None:
    given = [
        record(source="cohort", record_id="Z", **MARY, postcode_std="CD22CD"),
        record(source="cohort", record_id="A", **JOHN, pnc_std=PNC),
        record(source="cohort", record_id="M", **MARY, postcode_std="CD22CD"),
    ]
    links = link_cohort(table_of(given), spine, resources=RESOURCES, threshold=14.0)
    assert_sound_cohort(links, table_of(given), spine.people())
    assert links["record_id"].to_pylist() == ["Z", "A", "M"]
    assert links["person_id"].to_pylist() == ["C" * 32, "A" * 32, "C" * 32]


def test_the_exact_baseline_takes_a_single_answer_only(spine: Spine) -> None:
    """Names and birth date find A and B both; the number finds A alone; names and birth date find C alone."""
    given = [
        record(source="cohort", record_id="1", **JOHN),
        record(source="cohort", record_id="2", surname_std="SMITH", pnc_std=PNC),
        record(source="cohort", record_id="3", **MARY),
    ]
    assert exact_baseline(table_of(given), spine)["person_id"].to_pylist() == [None, "A" * 32, "C" * 32]
