"""The files of a delivery: which table each is, and its columns as they came. Nothing here looks at a value."""

from __future__ import annotations

import codecs
import csv
import io
import re
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
_DATE = re.compile(r"[-_. ]*[0-9]{4}[-_. ]?[0-9]{2}[-_. ]?[0-9]{2}[-_. ]*$")
_PART = re.compile(r"[-_. ]*(part)?[-_. ]*[0-9]{1,3}([-_. ]*of[-_. ]*[0-9]{1,3})?$")


def name_tables(files: Sequence[Path], schema: SourceSchema) -> dict[str, tuple[Path, ...]]:
    """Table -> its files, in the schema's order. A file is called TABLE or SOURCE_TABLE; a date may follow.

    A table may come in parts: TABLE_01, TABLE_02 ..., taken in that order.
    """
    problems: list[str] = []
    named: dict[str, list[Path]] = {}
    for file in sorted(files, key=lambda file: (len(file.name), file.name)):
        table = _table_of(file, schema)
        if not file.is_file():
            raise UsageError(f"There is no file {file}. Give the paths of the files of the delivery.")
        if table is None:
            problems.append(f"{file.name} is no table of {schema.name}. Call each file by its table: {_names(schema)}.")
        else:
            named.setdefault(table, []).append(file)
    problems += [problem for table, parts in named.items() for problem in _part_problems(table, parts)]
    if problems:
        raise FileNotTaken(*problems)
    if missing := [table for table in schema.tables if table not in named]:
        raise UsageError(
            f"The delivery of {schema.name} has no file for: {', '.join(missing)}. A delivery is whole: give one file "
            f"for each of {_names(schema)}, or its parts."
        )
    return {table: tuple(named[table]) for table in schema.tables}


def parts_of(named: Mapping[str, Sequence[Path]]) -> dict[str, Path]:
    """Every file under the name of its table; parts under TABLE/1, TABLE/2 ..."""
    whole = {table: files[0] for table, files in named.items() if len(files) == 1}
    parts = {
        f"{table}/{number}": file
        for table, files in named.items()
        if len(files) > 1
        for number, file in enumerate(files, start=1)
    }
    return whole | parts


def read_tables(files: Mapping[str, Sequence[Path]], schema: SourceSchema) -> dict[str, pa.Table]:
    """Read every table; FileNotTaken names every file's missing and unknown columns at once."""
    tables = {name: [(file.name, read_delivered(file)) for file in parts] for name, parts in files.items()}
    problems = [
        problem
        for name, parts in tables.items()
        for file, table in parts
        for problem in _column_problems(file, table, schema.tables[name])
    ]
    if problems:
        raise FileNotTaken(*problems)
    return {name: _joined(parts, list(schema.tables[name].columns)) for name, parts in tables.items()}


def _joined(parts: Sequence[tuple[str, pa.Table]], columns: list[str]) -> pa.Table:
    """The parts of a table as one. An empty column of one part takes the type that it has in the others."""
    tables = [table.select(columns) for _, table in parts]
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise FileNotTaken(
            f"{parts[0][0]} and {parts[-1][0]} are parts of one table, but their columns are of different types. "
            "Deliver all parts in one form."
        ) from None


def read_delivered(file: Path) -> pa.Table:
    """A delivered file as a table, its headings in lower case. Columns of a CSV are all text, empty is null."""
    with file.open("rb") as opened:
        start = opened.read(_HEADING_BYTES)
    if start.startswith(_ENCRYPTED_PARQUET_MAGIC):
        raise FileNotTaken(f"{file.name} is an encrypted Parquet file. Deliver it without a password.")
    table = _read_parquet(file) if start.startswith(_PARQUET_MAGIC) else _read_csv(file, start)
    return table.rename_columns([name.strip().lower() for name in table.column_names])


def _table_of(file: Path, schema: SourceSchema) -> str | None:
    stem = _named_by(file)[0].removeprefix(f"{schema.name}_")
    return stem if stem in schema.tables else None


def _named_by(file: Path) -> tuple[str, str, str]:
    """A file's name taken apart: flatfile_03 or flatfile_part_03_of_30_2024-01-31 is flatfile, 3 of 30, a date."""
    stem = file.stem.lower()
    undated = _DATE.sub("", stem)
    table = _PART.sub("", undated).rstrip("-_. ")
    return table, undated[len(table) :].strip("-_. "), stem[len(undated) :]


def _part_problems(table: str, files: Sequence[Path]) -> list[str]:
    """Several files of one table are its parts when all are numbered, no two alike, under one date."""
    if len(files) == 1:
        return []
    _, parts, dates = zip(*map(_named_by, files), strict=True)
    if all(parts) and len(set(parts)) == len(parts) and len(set(dates)) == 1:
        return []
    return [
        f"{files[0].name} and {files[1].name} are both the table {table}. Give one file a table, or number its parts: "
        f"{table}_01, {table}_02."
    ]


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
