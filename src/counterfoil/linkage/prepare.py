"""Standardised records to the table that is compared: whole-number ids and derived columns."""

from __future__ import annotations

import pyarrow as pa

from counterfoil.errors import Fault
from counterfoil.linkage.specification import Specification
from counterfoil.warehouse import query

ID = "unique_id"
STANDARD_COLUMNS = (
    "source", "record_id", "forename1_std", "forename_parts", "surname_std", "surname_parts", "full_parts_sorted",
    "alias_names", "dob", "dob_is_1jan", "sex_std", "postcode_std", "outcode", "pnc_std", "cro_std",
    "prison_number_std", "crn_std",
)  # fmt: skip


def prepare(records: pa.Table, specification: Specification, *, first_id: int = 0) -> pa.Table:
    """Standardised records ordered by (source, record_id), with `unique_id` from `first_id` and derived columns."""
    check_columns(records)
    derived = ", ".join(f"{sql} AS {name}" for name, sql in specification.derived.items())
    sql = f"""
        SELECT row_number() OVER (ORDER BY source, record_id) - 1 + {int(first_id)} AS {ID},
               {", ".join(STANDARD_COLUMNS)},
               coalesce(forename_class, forename1_std) AS forename_class,
               {derived}
        FROM records LEFT JOIN nicknames ON forename1_std = nickname
        ORDER BY {ID}"""
    prepared = query(sql, {"records": records.select(STANDARD_COLUMNS), "nicknames": _nicknames(specification)})
    check_ids(prepared)
    return prepared


def check_columns(records: pa.Table) -> None:
    """Fault when a standardised column is missing."""
    missing = [name for name in STANDARD_COLUMNS if name not in records.column_names]
    if missing:
        raise Fault(
            f"The identifiers to link lack the columns {', '.join(missing)}. They were written by another version; "
            "load the extracts again."
        )


def check_ids(prepared: pa.Table) -> None:
    """Fault when a source holds one record_id twice."""
    twice = "SELECT source FROM t GROUP BY source, record_id HAVING count(*) > 1"
    sql = f"SELECT DISTINCT source FROM ({twice}) ORDER BY source"
    repeated = query(sql, {"t": prepared.select(["source", "record_id"])}).column("source").to_pylist()
    if repeated:
        raise Fault(
            f"Some record_id occur more than once in {', '.join(repeated)}. Each must name one record; "
            "load the extract again with a key that does."
        )


def _nicknames(specification: Specification) -> pa.Table:
    names = sorted(specification.nicknames)
    classes = [specification.nicknames[name] for name in names]
    return pa.table({"nickname": pa.array(names, pa.string()), "forename_class": pa.array(classes, pa.string())})
