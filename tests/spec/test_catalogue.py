"""The schemas of the sources that Data First has are its catalogue's tables and columns."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest

from counterfoil.domains import SourceSchema, load
from counterfoil.domains.shares import load_shares

DATASETS = {
    "magistrates": "Magistrates court defendant (LIBRA)",
    "crown": "Crown Court defendant (XHIBIT)",
    "prison": "Prisoner custodial journey (p-NOMIS)",
    "probation": "Probation (nDelius)",
    "oasys": "Offender assessments (OASys)",
    "family": "Family court (FamilyMan)",
    "civil": "Civil court (CaseMan and PCOL)",
    "education": "MoJ-DfE linked dataset",
}
# What the catalogue calls a type -> types of ours that can hold it. Text can hold a category without a list.
FITTING = {
    "hash string": {"string"},
    "string": {"string"},
    "pseudonymous key": set(),
    "uuid": {"string"},
    "code": {"string", "code"},
    "category": {"code", "string"},
    "date": {"date"},
    "integer": {"integer"},
    "decimal": {"decimal"},
    "boolean": {"boolean"},
}


def schema_of(name: str) -> SourceSchema:
    return load_shares()[name].source if name in load_shares() else load().sources[name]


@pytest.mark.parametrize("name", DATASETS)
def test_every_column_of_the_catalogue_is_there_or_declared_absent(shared: Path, name: str) -> None:
    schema = schema_of(name)
    absent_tables = load_shares()[name].absent_tables if name in load_shares() else {}
    wanted: dict[str, dict[str, str]] = defaultdict(dict)
    with (shared / "data" / "data_first_catalogue.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["dataset"] == DATASETS[name]:
                wanted[row["table"]][row["variable"]] = row["type"]
    assert wanted
    assert set(wanted) - set(absent_tables) == set(schema.tables) - {schema.person_table}
    for table, variables in wanted.items():
        if table not in absent_tables:
            check_table(schema, table, variables)


def check_table(schema: SourceSchema, table: str, variables: dict[str, str]) -> None:
    held = schema.tables[table]
    assert set(variables) - set(held.columns) == set(held.absent), table
    assert set(held.columns) - set(variables) == set(held.extra), table
    wrong = [c for c, type_ in variables.items() if c in held.columns and held.columns[c].type not in FITTING[type_]]
    assert wrong == [], table


@pytest.mark.parametrize("name", DATASETS)
def test_what_is_declared_has_a_reason(name: str) -> None:
    for table in schema_of(name).tables.values():
        reasons = [*table.extra.values(), *table.absent.values()]
        assert all(len(reason) > 20 for reason in reasons), table.name
        assert not set(table.absent) & set(table.columns)


def test_short_names_are_those_of_the_linking_dataset() -> None:
    named = ("prison", "probation", "oasys", "magistrates", "crown", "family", "civil")
    short = {name: load().sources[name].source_dataset for name in named}
    assert short == {
        "prison": "prison_nomis",
        "probation": "probation_delius",
        "oasys": "prison_oasys",
        "magistrates": "mags_hocas",
        "crown": "crown_xhibit",
        "family": "familyman",
        "civil": "civil_caseman_pcol",
    }


def test_dates_that_guards_need_are_link_evidence_and_facts() -> None:
    needed = {
        ("family", "cases"): ("case_number_hash", "originating_court", "case_start_date"),
        ("family", "events"): ("case_number_hash", "receipt_date", "entry_date", "hearing_date"),
        ("family", "people"): ("record_id", "case_number_hash", "case_role"),
        ("civil", "cases"): ("claim_id_hash", "issuing_court", "issue_date"),
        ("civil", "events"): ("claim_id_hash", "event_date"),
        ("civil", "parties"): ("record_id", "claim_id_hash", "party_role"),
        ("prison", "nomis"): ("record_id", "custody_start_date", "custody_end_date", "sentence_date"),
        ("probation", "flatfile"): ("record_id", "referral_date", "disposal_date"),
        ("oasys", "assessment"): ("record_id", "date_completed"),
        ("magistrates", "case_summary"): (
            "record_id",
            "court_code",
            "first_hearing_date",
            "final_result_date",
            "committal_type",
            "remand_status",
        ),
        ("crown", "case_summary"): (
            "record_id",
            "court_centre",
            "receipt_date",
            "first_hearing_date",
            "case_type",
            "remand_status",
        ),
    }
    for (source, table), columns in needed.items():
        for column in columns:
            classes = {kind.value for kind in load().sources[source].tables[table].columns[column].classes}
            assert classes == {"link_evidence", "fact"}, column
