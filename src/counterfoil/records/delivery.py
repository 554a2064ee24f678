"""The files of a delivery: which table each is, and its columns as they came. Nothing here looks at a value."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from counterfoil.domains import SourceSchema, TableSchema
from counterfoil.errors import FileNotTaken, UsageError

_PARQUET_MAGIC = b"PAR1"
_ENCRYPTED_PARQUET_MAGIC = b"PARE"
_ENCODINGS = ("utf8", "cp1252")  # UTF-8 strictly, then what Windows writes; bytes are never dropped
_HEADING_BYTES = 1 << 16
_DATE_CHARACTERS = "0123456789-_. "


def name_tables(files: Sequence[Path], schema: SourceSchema) -> dict[str, Path]:
    """Table -> file, in the schema's order. A file is called TABLE or SOURCE_TABLE; a date may follow."""
    problems: list[str] = []
    named: dict[str, Path] = {}
    for file in files:
        table = _table_of(file, schema)
        if not file.is_file():
            raise UsageError(f"There is no file {file}. Give the paths of the files of the delivery.")
        if table is None:
            problems.append(f"{file.name} is no table of {schema.name}. Call each file by its table: {_names(schema)}.")
        elif table in named:
            problems.append(f"{named[table].name} and {file.name} are both the table {table}. Give one file a table.")
        else:
            named[table] = file
    if problems:
        raise FileNotTaken(*problems)
    if missing := [table for table in schema.tables if table not in named]:
        raise UsageError(
            f"The delivery of {schema.name} has no file for: {', '.join(missing)}. A delivery is whole: give one file "
            f"for each of {_names(schema)}."
        )
    return {table: named[table] for table in schema.tables}


def read_tables(files: Mapping[str, Path], schema: SourceSchema) -> dict[str, pa.Table]:
    """Read every table; FileNotTaken names every file's missing and unknown columns at once."""
    tables = {name: read_delivered(file) for name, file in files.items()}
    problems = [
        problem
        for name, table in tables.items()
        for problem in _column_problems(files[name].name, table, schema.tables[name])
    ]
    if problems:
        raise FileNotTaken(*problems)
    return {name: table.select(list(schema.tables[name].columns)) for name, table in tables.items()}


def read_delivered(file: Path) -> pa.Table:
    """A delivered file as a table, its headings in lower case. Columns of a CSV are all text, empty is null."""
    with file.open("rb") as opened:
        start = opened.read(_HEADING_BYTES)
    if start.startswith(_ENCRYPTED_PARQUET_MAGIC):
        raise FileNotTaken(f"{file.name} is an encrypted Parquet file. Deliver it without a password.")
    table = _read_parquet(file) if start.startswith(_PARQUET_MAGIC) else _read_csv(file, start)
    return table.rename_columns([name.strip().lower() for name in table.column_names])


def _table_of(file: Path, schema: SourceSchema) -> str | None:
    stem = file.stem.lower().rstrip(_DATE_CHARACTERS).removeprefix(f"{schema.name}_")
    return stem if stem in schema.tables else None


def _names(schema: SourceSchema) -> str:
    return ", ".join(schema.tables)


def _column_problems(file: str, table: pa.Table, schema: TableSchema) -> list[str]:
    found = Counter(table.column_names)
    missing = [name for name in schema.columns if not found[name]]
    repeated = [name for name in schema.columns if found[name] > 1]
    # A heading that we do not know may be data, where the file has no headings: its place is said, never its text.
    unknown = [place for place, name in enumerate(table.column_names, start=1) if name not in schema.columns]
    problems = []
    if missing:
        problems.append(f"{file} lacks the columns {', '.join(missing)}. Add them; a column may be empty.")
    if repeated:
        problems.append(f"{file} has more than one column called {', '.join(repeated)}. Leave one of each.")
    if unknown:
        problems.append(
            f"{file} has columns that the schema of {schema.name} does not know, at places "
            f"{', '.join(map(str, unknown))}. Leave them out; the columns are {', '.join(schema.columns)}."
        )
    return problems


def _read_parquet(file: Path) -> pa.Table:
    try:
        return pq.read_table(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise FileNotTaken(f"{file.name} is a Parquet file that is cut short or damaged. Deliver it again.") from error


def _read_csv(file: Path, start: bytes) -> pa.Table:
    if file.suffix.lower() not in (".csv", ".txt") or b"\0" in start:
        raise FileNotTaken(f"{file.name} is neither Parquet nor CSV by its content. Deliver one of the two.")
    for encoding in _ENCODINGS:
        try:
            return _parse_csv(file, start, encoding)
        except UnicodeDecodeError:
            continue
        except pa.ArrowInvalid as error:
            if "invalid UTF8" in str(error):
                continue
            # The reader's own message quotes the row: it is left out, and so is the chain to it.
            raise FileNotTaken(
                f"{file.name} is not a regular CSV file: its rows differ in width or a quote is not closed. "
                "Save it again as CSV, comma separated."
            ) from None
    raise FileNotTaken(f"{file.name} is neither UTF-8 nor Windows (cp1252) text. Save it again as CSV in UTF-8.")


def _parse_csv(file: Path, start: bytes, encoding: str) -> pa.Table:
    headings = _headings(start, encoding)
    if not headings:
        raise FileNotTaken(f"{file.name} is empty. Its first row must hold the column names.")
    return pa_csv.read_csv(
        file,
        read_options=pa_csv.ReadOptions(encoding=encoding),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(headings, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    )


def _headings(start: bytes, encoding: str) -> list[str]:
    """The first row. `start` may end inside a character, which an incremental decoder leaves out."""
    decode = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf8" else encoding)()
    return next(csv.reader(io.StringIO(decode.decode(start), newline="")), [])
