"""The workbook in ODS and XLSX, and what describes the CSV files: rules of published tables, and R22, R24, A6.

Read back by programs that share nothing with the writers: calamine, odfdo, openpyxl, csvw, LibreOffice.
"""

from __future__ import annotations

import datetime as dt
import html
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import csvw
import odfdo
import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from counterfoil.disclosure import Cell, Protected
from counterfoil.errors import Fault
from counterfoil.report import render
from counterfoil.report.about import ProviderWords
from counterfoil.report.allow_list import check_numbers
from counterfoil.report.archive import to_zip
from counterfoil.report.as_ods import to_ods
from counterfoil.report.as_xlsx import to_xlsx
from counterfoil.report.numbers import exact
from counterfoil.report.page import environment
from counterfoil.report.tables import tables_of
from counterfoil.report.words import words_of
from counterfoil.report.workbook import Number, Sheet, Workbook
from lib.reports import EVALUATIONS, REPORTS, files_of
from lib.results import ABOUT

BOOKS = ("report.ods", "report.xlsx")
SHORTHAND = {"[c]", "[x]", "[z]", "[low]"}
ODF = "{urn:oasis:names:tc:opendocument:xmlns:"


def file_of(name: str, file: str) -> bytes:
    return files_of(name)[file]


def sheets_of(data: bytes) -> dict[str, list[list[object]]]:
    """Every sheet as calamine reads it."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    return {tab: [list(row) for row in book.get_sheet_by_name(tab).to_python(skip_empty_area=False)]
            for tab in book.sheet_names}  # fmt: skip


def table_under(rows: list[list[object]], columns: int) -> list[list[object]]:
    """The rows under the header, which is the first row with a text in each column."""
    header = next(n for n, row in enumerate(rows) if len(row) == columns and all(row) and columns > 1)
    return rows[header + 1 :]


def expected(column: str, cell: Cell) -> object:
    """What must stand in a cell for a protected one."""
    if cell.value is None:
        return cell.shown.value if cell.shown else "[z]"
    if column in ("p", "p_holm") and exact(cell) == 0:
        return "[low]"
    return float(exact(cell))


# what is asked of published tables


@pytest.mark.parametrize("file", BOOKS)
@pytest.mark.parametrize("name", REPORTS)
def test_every_protected_number_stands_in_its_cell_and_nothing_finer(name: str, file: str) -> None:
    protected, words = REPORTS[name](), words_of("en")
    sheets = sheets_of(file_of(name, file))
    for table in tables_of(protected, ABOUT, words):
        rows = table_under(sheets[words(f"workbook.{table.name}.tab")], len(table.columns))
        if not table.rows:
            assert rows == [["[z]"] * len(table.columns)]
            continue
        for row, read in zip(table.rows, rows, strict=True):
            for column, cell, found in zip(table.columns, row, read, strict=True):
                if isinstance(cell, Cell):
                    assert found == expected(column, cell), (table.name, column)
                else:
                    assert isinstance(found, str)
                    assert found, "a blank cell"


@pytest.mark.parametrize("name", REPORTS)
def test_both_workbooks_say_the_same(name: str) -> None:
    assert sheets_of(file_of(name, "report.ods")) == sheets_of(file_of(name, "report.xlsx"))


@pytest.mark.parametrize("file", BOOKS)
@pytest.mark.parametrize("name", ["with_everything", "refused"])
def test_sheets_are_laid_out_as_published_tables_are(name: str, file: str) -> None:
    sheets = sheets_of(file_of(name, file))
    assert list(sheets)[:3] == ["Cover", "Contents", "Notes"]
    assert [row[0] for row in sheets["Contents"][3:]] == list(sheets)[2:]
    assert {row[0] for row in sheets["Notes"][3:]} == SHORTHAND
    used = {e for tab, rows in sheets.items() if tab != "Notes" for row in rows for e in row if str(e)[:1] == "["}
    assert used <= SHORTHAND
    for tab, rows in sheets.items():
        assert isinstance(rows[0][0], str), f"{tab} has no title in A1"
        assert not any(all(e == "" for e in row) for row in rows), f"{tab} has a blank row"
        if tab != "Cover":
            assert rows[1][0] == "This worksheet contains one table."


@pytest.mark.parametrize("name", ["with_everything", "refused"])
def test_the_ods_marks_its_tables_and_says_its_language_and_title(name: str) -> None:
    book = odfdo.Document(io.BytesIO(file_of(name, "report.ods")))
    assert book.meta.title == "Bridge to work: Evaluation report"
    assert book.meta.language == "en-GB"
    assert b'fo:language="en" fo:country="GB"' in parts_of(file_of(name, "report.ods"))["styles.xml"]
    body = book.body
    tables = body.get_elements("//table:table")
    ranges = body.get_elements("//table:database-range")
    assert len(ranges) == len(tables) - 1  # the cover has none
    assert not body.get_elements("//@table:number-columns-spanned|//table:covered-table-cell|//office:annotation")
    for table, marked in zip(tables[1:], ranges, strict=True):
        assert len(table.get_elements("table:table-header-rows/table:table-row")) == 1
        first, last = re.findall(r"\.([A-Z]+\d+)", str(marked.get_attribute("table:target-range-address")))
        above = len(table.get_elements("table:table-header-rows/preceding-sibling::table:table-row"))
        rows, columns = len(table.get_elements(".//table:table-row")), len(table.get_elements("table:table-column"))
        assert first == f"A{above + 1}"
        assert last == f"{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[columns - 1]}{rows}"


def test_the_ods_shows_as_many_decimals_as_were_protected_and_rates_as_per_cent() -> None:
    book = odfdo.Document(io.BytesIO(file_of("fewer", "report.ods")))
    shown = {c.get_attribute("office:value"): str(c.text_recursive).strip()
             for c in book.body.get_elements("//table:table-cell[@office:value]")}  # fmt: skip
    assert shown["0.259"] == "25.9%"
    assert shown["-5.5"] == "-5.5"
    assert shown["29000"] == "29,000"
    rate = next(c for c in book.body.get_elements("//table:table-cell[@office:value='0.259']"))
    assert rate.get_attribute("office:value-type") == "percentage"


def test_the_xlsx_marks_its_tables_and_links_the_contents() -> None:
    book = openpyxl.load_workbook(io.BytesIO(file_of("with_everything", "report.xlsx")))
    for page in book.worksheets[1:]:
        assert len(page.tables) == 1
        assert not page.merged_cells.ranges
    linked = [cell.hyperlink.location for (cell,) in book["Contents"].iter_rows(min_row=4, max_col=1)]
    assert linked == [f"'{tab}'!A1" for tab in book.sheetnames[2:]]
    assert book["Results"]["E6"].number_format == "0.0%"
    assert book["Results"]["H6"].number_format == "#,##0.0"
    assert book.active.title == "Cover"


# the same bytes


@pytest.mark.parametrize("file", BOOKS)
def test_two_processes_make_the_same_bytes(file: str, tmp_path: Path) -> None:
    code = ("import sys; sys.path[:0] = ['tests']; from counterfoil.report import render; "
            "from lib.reports import REPORTS; from lib.results import ABOUT; "
            f"sys.stdout.buffer.write(render(REPORTS['fewer'](), ABOUT).files[{file!r}])")  # fmt: skip
    made = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=Path(__file__).parents[2],
                           env={"PYTHONHASHSEED": seed, "TZ": zone, "PATH": "", "HOME": str(tmp_path)}).stdout
            for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))]  # fmt: skip
    assert made[0] == made[1] == file_of("fewer", file)


# R24


def parts_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert not any(i.extra or i.comment for i in archive.infolist())
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("name", REPORTS)
def test_r24_the_ods_holds_four_parts_and_no_maker(name: str) -> None:
    data = file_of(name, "report.ods")
    parts = parts_of(data)
    assert list(parts) == ["mimetype", "content.xml", "styles.xml", "meta.xml", "META-INF/manifest.xml"]
    assert data[30:38] + data[38:84] == b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
    meta = [e.tag.rpartition("}")[2] for e in ET.fromstring(parts["meta.xml"]).iter()]
    assert meta == ["document-meta", "meta", "title", "subject", "language"]
    everything = b"".join(parts.values()).decode()
    assert not re.search(r"generator|creator|creation-date|/home/|/root|/tmp|\d\d:\d\d:\d\d", everything)
    assert 'table:visibility="collapse"' not in everything


@pytest.mark.parametrize("name", REPORTS)
def test_r24_the_xlsx_has_no_author_hidden_sheet_or_time_of_day(name: str) -> None:
    data = file_of(name, "report.xlsx")
    allowed = r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(app|core)\.xml|xl/(workbook|styles|sharedStrings)\.xml|" \
              r"xl/theme/theme1\.xml|xl/_rels/workbook\.xml\.rels|xl/worksheets/(_rels/)?sheet\d+\.xml(\.rels)?|" \
              r"xl/tables/table\d+\.xml"  # fmt: skip
    parts = parts_of(data)
    assert not [part for part in parts if not re.fullmatch(allowed, part)]
    book = openpyxl.load_workbook(io.BytesIO(data))
    kept = book.properties
    assert (kept.creator or "", kept.lastModifiedBy or "", kept.description or "") == ("", "", "")
    assert {kept.created.isoformat(), kept.modified.isoformat()} == {"2026-03-04T00:00:00"}
    assert {page.sheet_state for page in book.worksheets} == {"visible"}


# R22


def with_a_number(data: bytes, part: str, old: bytes, new: bytes) -> bytes:
    parts = parts_of(data)
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new, 1)
    return to_zip(parts)


@pytest.mark.parametrize(
    ("file", "part", "old", "new"),
    [
        ("report.ods", "content.xml", b'office:value="0.259"', b'office:value="0.2585365"'),
        ("report.ods", "content.xml", b"<text:p>25.9%</text:p>", b"<text:p>25.85%</text:p>"),
        ("report.ods", "content.xml", b'table:name="Results"', b'table:name="Results of 47"'),
        ("report.ods", "meta.xml", b"</dc:title>", b" 47</dc:title>"),
        ("report.xlsx", "xl/worksheets/sheet4.xml", b"<v>0.259</v>", b"<v>0.25853658536585</v>"),
        ("report.xlsx", "xl/sharedStrings.xml", b"Bridge to work", b"Bridge to work 47"),
        ("report.xlsx", "docProps/core.xml", b"</dc:title>", b" 47</dc:title>"),
        ("report.xlsx", "xl/workbook.xml", b'name="Results"', b'name="Results 47"'),
        ("tables/results.csv-metadata.json", "", b'"dc:language"', b'"rows": 47, "dc:language"'),
    ],
)
def test_r22_a_planted_number_is_found_in_a_cell_its_text_a_name_and_metadata(
    file: str, part: str, old: bytes, new: bytes
) -> None:
    protected = EVALUATIONS["fewer"]()
    files = dict(files_of("fewer"))
    files[file] = with_a_number(files[file], part, old, new) if part else files[file].replace(old, new, 1)
    with pytest.raises(Fault, match=re.escape(file)):
        check_numbers(files, protected, ABOUT)


def test_r22_a_part_that_we_never_write_is_a_fault() -> None:
    protected = EVALUATIONS["fewer"]()
    files = dict(files_of("fewer"))
    files["report.ods"] = to_zip({**parts_of(files["report.ods"]), "Thumbnails/thumbnail.png": b"x"})
    with pytest.raises(Fault, match="R22"):
        check_numbers(files, protected, ABOUT)


# A6: what a provider says is text everywhere

HOSTILE = ("=HYPERLINK(\"https://example.org/?\"&A1)", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "<script>alert(1)</script>",
           "]]></text:p>", "file:// and <link rel=attachment href=x>", "before \u202eesrever\u202c after",
           "a bell \x07 and a null \x00", "&lt;b&gt; &amp;", "x" * 10_000)  # fmt: skip


def as_shown(text: str) -> str:
    """Marks that would act are written by their number; nothing else changes."""
    shown = {"\u202e": "[U+202E]", "\u202c": "[U+202C]", "\x07": "[U+0007]", "\x00": "[U+0000]"}
    return "".join(shown.get(c, c) for c in text)


def hostile_book(text: str) -> Workbook:
    rows = ((text, Number(Decimal("-2"))), ("b", Number(Decimal("-0.5"))))
    return Workbook(text, "Report", ABOUT, "en", (Sheet("S", (text, text), "t", (text, "b"), rows),))


@pytest.mark.parametrize("text", HOSTILE)
def test_a06_hostile_text_is_text_in_every_cell(text: str) -> None:
    book = hostile_book(text)
    for data in (to_ods(book, environment()), to_xlsx(book)):
        ((_, rows),) = sheets_of(data).items()
        assert [row[0] for row in rows] == [*[as_shown(text)] * 4, "b"]
        assert [row[1] for row in rows[3:]] == [-2, -0.5]
        assert not [n for n, d in parts_of(data).items() if re.search(rb"<f>|table:formula|TargetMode=.External", d)]
    cells = openpyxl.load_workbook(io.BytesIO(to_xlsx(book))).worksheets[0]
    assert {cell.data_type for row in cells.iter_rows() for cell in row if cell.value is not None} <= {"s", "n"}


@pytest.mark.parametrize("text", HOSTILE)
def test_a06_a_hostile_plan_has_its_report_in_every_format(text: str) -> None:
    said = ProviderWords(response=f"r {text}", responded=dt.date(2026, 2, 27), other_evidence=text)
    about = replace(ABOUT, title=text[:200], description=text, words=said)
    files = render(EVALUATIONS["fewer"](), about).files
    for file in BOOKS:
        (*_, described, response, other) = sheets_of(files[file])["Service_s_words"]
        assert [described[2], response[2], other[2]] == [as_shown(t) for t in (text, f"r {text}", text)]
        assert response[1] == "2026-02-27"
    plain = html.unescape(re.sub(r"<[^>]*>", "", files["report.html"].decode()))
    assert plain.count(as_shown(text).strip()) >= 3
    assert as_shown(about.title) in json.loads(files["tables/results.csv-metadata.json"])["dc:title"]
    assert not {"\u202e", "\x07"} & {c for data in (files["report.html"], files["report.json"]) for c in data.decode()}


# CSVW


@pytest.mark.parametrize("name", ["with_everything", "few_reoffenders", "refused"])
def test_each_csv_agrees_with_what_describes_it(name: str, tmp_path: Path) -> None:
    files = {f.removeprefix("tables/"): d for f, d in files_of(name).items() if "tables/" in f}
    for file, data in files.items():
        (tmp_path / file).write_bytes(data)
    described = [file for file in files if file.endswith(".json")]
    assert len(described) * 2 == len(files)
    for file in described:
        table = csvw.CSVW(str(tmp_path / file))
        rows = list(next(iter(table.tables)).iterdicts())  # is_valid knows only what was read
        assert table.is_valid, file
        assert rows


def test_a_number_that_is_none_does_not_pass_as_one(tmp_path: Path) -> None:
    """The check above can fail."""
    files = files_of("fewer")
    (tmp_path / "results.csv").write_bytes(files["tables/results.csv"].replace(b"0.259", b"many"))
    (tmp_path / "results.csv-metadata.json").write_bytes(files["tables/results.csv-metadata.json"])
    table = csvw.CSVW(str(tmp_path / "results.csv-metadata.json"))
    with pytest.raises(ValueError, match="many"):
        list(next(iter(table.tables)).iterdicts())


def test_csvw_says_hidden_numbers_are_no_numbers() -> None:
    described = json.loads(file_of("few_reoffenders", "tables/results.csv-metadata.json"))
    columns = {c["name"]: c for c in described["tableSchema"]["columns"]}
    assert columns["difference"]["datatype"] == "decimal"
    assert set(columns["difference"]["null"]) == SHORTHAND
    assert columns["label"]["datatype"] == "string"
    assert described["dc:issued"] == "2026-03-04"


# LibreOffice


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LibreOffice with a profile of its own."""
    found = shutil.which("soffice")
    if found is None:
        pytest.skip("LibreOffice is not on this machine (make witnesses)")
    return tmp_path_factory.mktemp("office")


@pytest.mark.slow
def test_libreoffice_opens_the_ods_and_reads_the_same_cells(office: Path) -> None:
    data = file_of("with_everything", "report.ods")
    (office / "report.ods").write_bytes(data)
    subprocess.run(["soffice", "--headless", f"-env:UserInstallation=file://{office}/profile", "--convert-to", "xlsx",
                    "--outdir", str(office / "out"), str(office / "report.ods")],
                   check=True, capture_output=True, timeout=180)  # fmt: skip
    saved = sheets_of((office / "out" / "report.xlsx").read_bytes())
    assert saved == sheets_of(data)


def test_only_protected_results_have_a_workbook() -> None:
    assert all(isinstance(make(), Protected) for make in EVALUATIONS.values())
