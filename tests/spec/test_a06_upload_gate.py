"""Threat A6, upload attacks: every file is refused in a plain sentence, and the process that asked survives."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import os
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest

from counterfoil.errors import CounterfoilError, FileNotTaken, UsageError
from counterfoil.records.gate import child
from counterfoil.records.gate.limits import Limits
from counterfoil.records.gate.reader import read_file
from counterfoil.records.provider import check_file
from lib.provider_files import HEADINGS, SOUND, TODAY, csv_text, read, row, sheet_of, workbook_parts, write_csv, zipped

SOUND_SHEET = sheet_of([HEADINGS, SOUND])


def refused(path: Path, data: bytes, limits: Limits | None = None) -> str:
    """The sentence with which `data` under that name is refused; exit code 3. The gate itself says the same here."""
    said = refused_in_child(path, data, limits)
    assert child.read(data, path.suffix, limits or Limits())["problems"] == said.splitlines()
    return said


def refused_in_child(path: Path, data: bytes, limits: Limits | None = None) -> str:
    """The sentence with which `data` is refused when the child process itself is what gives up."""
    path.write_bytes(data)
    with pytest.raises(FileNotTaken) as refusal:
        read_file(path, limits or Limits())
    assert refusal.value.exit_code == 3
    return str(refusal.value)


def test_a06_the_hand_made_workbook_itself_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(zipped(workbook_parts(SOUND_SHEET)))
    assert read(path).entries["surname"].to_pylist() == ["Archer"]


def test_a06_the_child_process_gives_what_the_same_code_gives_here(tmp_path: Path) -> None:
    """What comes back over the pipe is what was read: text in three encodings, a workbook with dates, loose quotes."""
    book = io.BytesIO()
    sheets = openpyxl.Workbook()
    sheets.active.append(HEADINGS)
    sheets.active.append([*SOUND[:2], dt.date(1984, 3, 27), 1, 1.5, True, dt.datetime(2018, 6, 14, 9)])
    sheets.save(book)
    text = csv_text([row(forename="Siân")])
    files = [
        (".csv", text.encode()),
        (".csv", text.encode("cp1252")),
        (".txt", text.encode("utf-16")),
        (".csv", text.replace("Archer", '"Archer"x').encode()),
        (".xlsx", book.getvalue()),
    ]
    for suffix, data in files:
        path = tmp_path / f"a{suffix}"
        path.write_bytes(data)
        here = child.read(data, suffix, Limits())
        there = read_file(path)
        assert [list(one.cells) for one in there.sheets[0].rows] == [cells for _, cells, _ in here["sheets"][0]["rows"]]
        assert there.encoding == here.get("encoding", "")
    assert there.sheets[0].rows[1].cells == (*SOUND[:2], "1984-03-27", "1", "1.5", "TRUE", "2018-06-14")
    assert there.sheets[0].rows[1].date_cells == {2, 6}


def test_a06_file_that_is_absent_is_a_mistake_of_usage(tmp_path: Path) -> None:
    for path in (tmp_path / "none.xlsx", tmp_path):
        with pytest.raises(UsageError) as refusal:
            read_file(path)
        assert refusal.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.csv", b"", "is empty"),
        ("a.pdf", b"%PDF-1.7\n...", "is a PDF"),
        ("a.xlsx", b"%PDF-1.7\n...", "is a PDF"),
        ("a.csv", b"<!DOCTYPE html><html><title>Log in</title>", "is a web page"),
        ("a.csv", b"\n\n  <HTML><body>403 Forbidden", "is a web page"),
        ("a.xml", b'<?xml version="1.0"?><Workbook/>', "is XML"),
        ("a.csv", gzip.compress(b"Surname", mtime=0), "is compressed"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Excel workbook"),
        ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Excel workbook"),
        ("a.xlsx", csv_text([SOUND]).encode(), "named .xlsx but holds plain text"),
        ("a.csv", zipped(workbook_parts(SOUND_SHEET)), "named .csv but holds a zip archive"),
        ("a.xlsm", zipped(workbook_parts(SOUND_SHEET)), "carries macros"),
        ("a.xlsb", zipped(workbook_parts(SOUND_SHEET)), "binary one"),
        ("a.ods", zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "OpenDocument"),
        ("a.xlsx", zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "OpenDocument"),
        ("a.xlsx", zipped({"list.csv": b"Surname"}), "zip archive, not a workbook"),
        ("a.xlsx", zipped(workbook_parts(main_type="application/x.document.main+xml")), "not a workbook"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "is a picture"),
        ("a.exe", b"Surname,Forename", "ends in neither .xlsx nor .csv"),
        ("a.csv", csv_text([SOUND]).encode() + b"\x00\x01", "NUL"),
        ("a.csv", csv_text([SOUND]).encode("utf-16-le"), "NUL"),
        ("a.csv", csv_text([SOUND]).encode("utf-16")[:-1], "not whole"),
    ],
)  # fmt: skip
def test_a06_wrong_file_behind_the_name(tmp_path: Path, name: str, data: bytes, sentence: str) -> None:
    assert sentence in refused(tmp_path / name, data)


def test_a06_workbook_with_a_password(tmp_path: Path) -> None:
    stream = "EncryptedPackage".encode("utf-16-le")
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + stream + bytes(100)
    assert "protected with a password" in refused(tmp_path / "a.xlsx", data)


def test_a06_pdf_and_zip_polyglots(tmp_path: Path) -> None:
    book = zipped(workbook_parts(SOUND_SHEET))
    assert "is a PDF" in refused(tmp_path / "a.xlsx", b"%PDF-1.7\n" + book)
    inside = io.BytesIO()
    with zipfile.ZipFile(inside, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("docProps/a.bin", b"%PDF-1.7\n1 0 obj")
        for name, data in workbook_parts(SOUND_SHEET).items():
            archive.writestr(name, data)
    assert "a PDF and a zip archive at once" in refused(tmp_path / "a.xlsx", inside.getvalue())
    assert "other data before or after" in refused(tmp_path / "a.xlsx", book + b"%%EOF")


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("xl/vbaProject.bin", "holds macros"),
        ("XL/VBAPROJECT.BIN", "holds macros"),
        ("xl/macrosheets/sheet1.xml", "holds macros"),
        ("xl/externalLinks/externalLink1.xml", "external links"),
        ("xl/embeddings/oleObject1.bin", "embedded objects"),
        ("xl/activeX/activeX1.xml", "embedded objects"),
        ("xl/media/inner.zip", "archive that holds another archive"),
        ("../../etc/cron.d/x", "points outside"),
        ("/etc/passwd", "points outside"),
        ("xl\\..\\..\\x", "points outside"),
        ("C:/x", "points outside"),
    ],
)
def test_a06_parts_that_are_refused(tmp_path: Path, part: str, sentence: str) -> None:
    assert sentence in refused(tmp_path / "a.xlsx", zipped({**workbook_parts(SOUND_SHEET), part: b"x"}))


def test_a06_macro_content_type_under_an_innocent_name(tmp_path: Path) -> None:
    parts = workbook_parts(SOUND_SHEET, main_type="application/vnd.ms-excel.sheet.macroEnabled.main+xml")
    assert "carries macros" in refused(tmp_path / "a.xlsx", zipped(parts))


def test_a06_nested_archive_under_an_innocent_name(tmp_path: Path) -> None:
    parts = {**workbook_parts(SOUND_SHEET), "xl/media/image1.png": zipped({"a": b"b"})}
    assert "archive that holds another archive" in refused(tmp_path / "a.xlsx", zipped(parts))


def test_a06_zip_bomb_by_ratio_and_by_size(tmp_path: Path) -> None:
    bomb = zipped({**workbook_parts(SOUND_SHEET), "xl/theme/theme1.xml": b"<a>" + b" " * 30_000_000 + b"</a>"})
    assert len(bomb) < 100_000
    assert "unpacks to more than" in refused(tmp_path / "a.xlsx", bomb)
    loose = Limits(expansion_ratio=1_000_000, expanded_bytes=1_000_000)
    assert "unpacks to more than 1 MB" in refused(tmp_path / "a.xlsx", bomb, loose)


def test_a06_declared_sizes_that_lie(tmp_path: Path) -> None:
    """The size in the archive's directory says 10 bytes; the part inflates to millions."""
    parts = {**workbook_parts(SOUND_SHEET), "xl/theme/theme1.xml": b"<a>" + b" " * 3_000_000 + b"</a>"}
    true_size = len(parts["xl/theme/theme1.xml"]).to_bytes(4, "little")
    lying = zipped(parts).replace(true_size, (10).to_bytes(4, "little"))
    loose = Limits(expansion_ratio=1_000_000)
    assert "damaged" in refused(tmp_path / "a.xlsx", lying, loose)


def test_a06_over_200_parts(tmp_path: Path) -> None:
    parts = {f"docProps/{number}.xml": b"<a/>" for number in range(196)}
    assert "over 200 parts" in refused(tmp_path / "a.xlsx", zipped({**workbook_parts(SOUND_SHEET), **parts}))


def test_a06_encrypted_zip(tmp_path: Path) -> None:
    data = bytearray(zipped(workbook_parts(SOUND_SHEET)))
    at = data.find(b"PK\x01\x02")
    while at >= 0:  # set the flag of encryption on every part
        data[at + 8] |= 1
        at = data.find(b"PK\x01\x02", at + 1)
    assert "zip archive with a password" in refused(tmp_path / "a.xlsx", bytes(data))


@pytest.mark.parametrize("reference", ["XFD1048576", "A100001", "GS1"])
def test_a06_sparse_sheet_that_would_allocate_hundreds_of_gigabytes(tmp_path: Path, reference: str) -> None:
    sheet = f'<sheetData><row r="1"><c r="A1"><v>1</v></c><c r="{reference}"><v>1</v></c></row></sheetData>'
    assert "past 100,000 rows or 200 columns" in refused(tmp_path / "a.xlsx", zipped(workbook_parts(sheet)))


def test_a06_a_sheet_kept_where_the_gate_does_not_look_is_not_opened(tmp_path: Path) -> None:
    parts = workbook_parts()
    sheet = '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c></row>'
    parts["xl/elsewhere.dat"] = parts.pop("xl/worksheets/sheet1.xml").replace(
        b"<sheetData/>", f"<sheetData>{sheet}</sheetData>".encode()
    )
    rels = "xl/_rels/workbook.xml.rels"
    parts[rels] = parts[rels].replace(b"worksheets/sheet1.xml", b"elsewhere.dat")
    assert "damaged" in refused(tmp_path / "a.xlsx", zipped(parts))


def test_a06_ten_thousand_columns(tmp_path: Path) -> None:
    cells = ",".join("x" * 10_000)
    assert "more than 200 columns" in refused(tmp_path / "a.csv", f"{cells}\n{cells}\n".encode())
    columns = "".join("<c><v>1</v></c>" for _ in range(10_000))
    sheet = f"<sheetData><row>{columns}</row></sheetData>"
    loose = Limits(expansion_ratio=10_000)
    assert "past 100,000 rows or 200 columns" in refused(tmp_path / "a.xlsx", zipped(workbook_parts(sheet)), loose)


def test_a06_over_100000_rows(tmp_path: Path) -> None:
    assert "more than 100,000 rows" in refused(tmp_path / "a.csv", b"a,b\n" * 100_001)


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">',
    ],
    ids=["entity bomb", "external entity", "external DTD"],
)
@pytest.mark.parametrize(
    "part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "[Content_Types].xml", "xl/styles.xml"]
)
def test_a06_document_types_are_refused(tmp_path: Path, doctype: str, part: str) -> None:
    parts = workbook_parts(SOUND_SHEET)
    parts[part] = doctype.encode() + parts.get(part, b"<styleSheet/>")
    assert "document type (DTD)" in refused(tmp_path / "a.xlsx", zipped(parts))


def test_a06_document_type_hidden_in_utf_16(tmp_path: Path) -> None:
    parts = workbook_parts(SOUND_SHEET)
    text = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY e "x">]><styleSheet/>'
    parts["xl/styles.xml"] = text.encode("utf-16")
    assert "document type (DTD)" in refused(tmp_path / "a.xlsx", zipped(parts))


@pytest.mark.parametrize(
    "sheet",
    [
        '<sheetData><row r="1"><c r="nowhere"><v>1</v></c></row></sheetData>',
        '<sheetData><row r="one"><c><v>1</v></c></row></sheetData>',
        '<sheetData><row r="12345678"><c><v>1</v></c></row></sheetData>',
        "<sheetData><row>",
    ],
)
def test_a06_a_sheet_whose_markup_makes_no_sense(tmp_path: Path, sheet: str) -> None:
    assert "damaged" in refused(tmp_path / "a.xlsx", zipped(workbook_parts(sheet)))


def test_a06_markup_in_an_encoding_nobody_knows(tmp_path: Path) -> None:
    parts = {**workbook_parts(SOUND_SHEET), "xl/styles.xml": b'<?xml version="1.0" encoding="klingon"?><a/>'}
    assert "damaged" in refused(tmp_path / "a.xlsx", zipped(parts))


def test_a06_drawings_need_not_be_well_formed(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(zipped({**workbook_parts(SOUND_SHEET), "xl/drawings/vmlDrawing1.vml": b"<xml><br></xml>"}))
    assert read(path).entries.num_rows == 1


def test_a06_a_workbook_without_its_sheet(tmp_path: Path) -> None:
    parts = workbook_parts(SOUND_SHEET)
    del parts["xl/worksheets/sheet1.xml"]
    assert "damaged" in refused(tmp_path / "a.xlsx", zipped(parts))


def test_a06_two_parts_of_one_name(tmp_path: Path) -> None:
    parts = workbook_parts(SOUND_SHEET)
    assert "damaged" in refused(tmp_path / "a.xlsx", zipped({**parts, "XL/workbook.xml": parts["xl/workbook.xml"]}))


def test_a06_a_binary_workbook_under_an_innocent_name(tmp_path: Path) -> None:
    parts = workbook_parts(main_type="application/vnd.ms-excel.sheet.binary.macroEnabled.main")
    assert "binary one" in refused(tmp_path / "a.xlsx", zipped(parts))


def test_a06_a_pipe_is_not_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(UsageError, match="not an ordinary file"):
        read_file(tmp_path / "a.csv")


def test_a06_a_cell_longer_than_any_workbook_holds(tmp_path: Path) -> None:
    data = csv_text([row(surname="x" * 32_768)]).encode()
    assert "more than 32,767 characters" in refused(tmp_path / "a.csv", data)
    loosely = csv_text([SOUND]).replace("Archer", '"Archer"x').encode() + data
    assert "more than 32,767 characters" in refused(tmp_path / "a.csv", loosely)


@pytest.mark.parametrize("size", [0, 1, 22, 400])
def test_a06_a_workbook_cut_short(tmp_path: Path, size: int) -> None:
    whole = zipped(workbook_parts(SOUND_SHEET))
    with pytest.raises(FileNotTaken):
        read_file_of(tmp_path / "a.xlsx", whole[:size])


def read_file_of(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    read_file(path)


def test_a06_quoted_newline_that_swallows_the_file(tmp_path: Path) -> None:
    data = csv_text([SOUND]).encode() + b'"' + b"x\n" * 5_000_000
    assert "never closed" in refused(tmp_path / "a.csv", data)


def test_a06_over_20_mb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.truncate(20_000_001)  # sparse: nothing on the disk
    with pytest.raises(FileNotTaken, match="larger than 20 MB"):
        read_file(path)


def test_a06_a_child_that_needs_too_much_memory_is_a_sentence(tmp_path: Path) -> None:
    rows = f"{','.join(['some text'] * 20)}\n" * 90_000
    tight = Limits(memory_bytes=100_000_000)
    assert "more memory" in refused_in_child(tmp_path / "a.csv", rows.encode(), tight)


def test_a06_a_child_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    assert "took longer than 0.01 seconds" in refused_in_child(
        tmp_path / "a.csv", b"a,b\n" * 9, Limits(wall_seconds=0.01)
    )


def test_a06_a_child_that_says_too_much_is_stopped(tmp_path: Path) -> None:
    assert "more memory" in refused_in_child(tmp_path / "a.csv", b"abcdefgh,b\n" * 90_000, Limits(answer_bytes=1000))


def test_a06_the_child_opens_no_file_and_no_network() -> None:
    script = (
        "from counterfoil.records.gate.child import confine\n"
        "from counterfoil.records.gate.limits import Limits\n"
        "import socket\n"
        "confine(Limits())\n"
        "for attempt in (socket.socket, lambda: open('/dev/null')):\n"
        "    try:\n"
        "        attempt()\n"
        "    except OSError:\n"
        "        print('refused')\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["refused", "refused"]


def test_a06_the_child_stays_small() -> None:
    """What the child imports decides its memory and how fast a file opens."""
    script = "import sys, counterfoil.records.gate.child; print({'pyarrow', 'numpy', 'duckdb'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"


def test_a06_the_asking_process_keeps_its_memory(tmp_path: Path) -> None:
    bomb = zipped({**workbook_parts(SOUND_SHEET), "xl/theme/theme1.xml": b"<a>" + b" " * 150_000_000 + b"</a>"})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused_in_child(tmp_path / "a.xlsx", bomb)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 20_000  # KB on Linux


def test_a06_a_module_lying_beside_the_file_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('run')")
    monkeypatch.chdir(tmp_path)
    assert read(write_csv(tmp_path / "a.csv", [SOUND])).entries.num_rows == 1


def test_a06_turned_writing_direction_in_a_name_is_said(tmp_path: Path) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [row(surname="Ar\u202echer")]))
    assert submission.entries["surname"].to_pylist() == ["Archer"]
    assert submission.entries["surname_raw"].to_pylist() == ["Ar\u202echer"]
    assert "invisible characters" in {one.code.value for one in submission.findings}


def test_a06_hostile_headings_are_dropped_like_any_other(tmp_path: Path) -> None:
    headings = (*HEADINGS, '"; DROP TABLE people; --', "<script>alert(1)</script>", "=HYPERLINK(1)")
    result = check_file(write_csv(tmp_path / "a.csv", [(*SOUND, "1", "2", "3")], headings), TODAY)
    said = "\n".join(result.lines())
    assert [one.column for one in result.findings if one.code.value == "column not asked for"] == [
        "Column H",
        "Column I",
        "Column J",
    ]
    assert not any(word in said for word in ("DROP", "script", "HYPERLINK"))


def test_a06_formula_cells_are_values_only(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(HEADINGS)
    book.active.append(row(forename='=WEBSERVICE("http://127.0.0.1/")'))
    book.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx").entries["forename1"].to_pylist() == [None]


def test_a06_every_refusal_says_what_to_do(tmp_path: Path) -> None:
    for name, data in (("a.pdf", b"%PDF-1"), ("b.csv", b"\x00"), ("c.xlsx", zipped({"x": b"y"})), ("d.csv", b"a,b\n")):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(CounterfoilError) as refusal:
            read(path)
        assert any(word in str(refusal.value) for word in ("Send", "send", "Open it", "Unpack", "Put"))
