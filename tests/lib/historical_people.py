"""Splink's own example model for its file of 50,578 records of historical people, for this file only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from splink import SettingsCreator
from splink import comparison_library as library

from counterfoil.warehouse import query, read_table

RULES = (
    "substr(l.first_name, 1, 3) = substr(r.first_name, 1, 3) AND substr(l.surname, 1, 4) = substr(r.surname, 1, 4)",
    "l.surname = r.surname AND l.dob = r.dob",
    "l.first_name = r.first_name AND l.dob = r.dob",
    "l.postcode_fake = r.postcode_fake AND l.first_name = r.first_name",
    "l.postcode_fake = r.postcode_fake AND l.surname = r.surname",
    "l.dob = r.dob AND l.birth_place = r.birth_place",
    "substr(l.postcode_fake, 1, 3) = substr(r.postcode_fake, 1, 3) AND l.dob = r.dob",
    "substr(l.postcode_fake, 1, 3) = substr(r.postcode_fake, 1, 3) AND l.first_name = r.first_name",
    "substr(l.postcode_fake, 1, 3) = substr(r.postcode_fake, 1, 3) AND l.surname = r.surname",
    "substr(l.first_name, 1, 2) = substr(r.first_name, 1, 2) AND substr(l.surname, 1, 2) = substr(r.surname, 1, 2)"
    " AND substr(l.dob, 1, 4) = substr(r.dob, 1, 4)",
)
PRIOR_RULES = (
    "l.first_name = r.first_name AND l.surname = r.surname AND l.dob = r.dob",
    "substr(l.first_name, 1, 2) = substr(r.first_name, 1, 2) AND l.surname = r.surname"
    " AND substr(l.postcode_fake, 1, 2) = substr(r.postcode_fake, 1, 2)",
    "l.dob = r.dob AND l.postcode_fake = r.postcode_fake",
)
RECALL = 0.6
BLOCKS = ("l.first_name = r.first_name AND l.surname = r.surname", "l.dob = r.dob")


def records(shared: Path, most: int | None = None) -> pa.Table:
    """The file, or its first records, with whole-number ids; `cluster` is the person."""
    limit = "" if most is None else f"LIMIT {most}"
    sql = f"""SELECT row_number() OVER () - 1 AS unique_id, * EXCLUDE (unique_id),
                     nullif(concat_ws(' ', first_name, surname), '') AS first_name_surname
              FROM (SELECT * FROM given ORDER BY unique_id {limit})"""
    return query(sql, {"given": read_table(shared / "data" / "linkage" / "splink_historical_figures_50k.parquet")})


def model() -> dict[str, Any]:
    """Untrained, as a settings dictionary."""
    rules: list[Any] = list(RULES)
    creator = SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=rules,
        comparisons=[
            library.ForenameSurnameComparison(
                "first_name", "surname", forename_surname_concat_col_name="first_name_surname"
            ),
            library.DateOfBirthComparison("dob", input_is_string=True),
            library.PostcodeComparison("postcode_fake"),
            library.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
            library.ExactMatch("occupation").configure(term_frequency_adjustments=True),
        ],
        em_convergence=1e-4,
        max_iterations=25,
        linker_uid="historical",
    )
    settings: dict[str, Any] = creator.create_settings_dict(sql_dialect_str="duckdb")
    return settings
