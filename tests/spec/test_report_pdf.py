"""The copy of the report as PDF/UA: its structure as pikepdf reads it, its bytes, what it fetches (R22, R24, A9)."""

from __future__ import annotations

import datetime as dt
import http.server
import io
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pikepdf
import pypdf
import pytest
from fontTools.pens.recordingPen import DecomposingRecordingPen  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from counterfoil.errors import Fault
from counterfoil.report import render, why_no_pdf
from counterfoil.report.about import ProviderWords
from counterfoil.report.allow_list import check_numbers
from counterfoil.report.page import environment
from counterfoil.report.read_back import texts_of
from lib.reports import EVALUATIONS, REPORTS, files_of
from lib.results import ABOUT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_no_pdf()), reason="Pango is not on this machine (make witnesses)"),
]
KINDS = ("with_everything", "too_few", "refused")
SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)
SHIPPED = "Atkinson-Hyperlegible-Next"


@cache
def pdf_of(name: str) -> bytes:
    """One report's PDF, made once."""
    return render(REPORTS[name](), ABOUT, pdf=True).files["report.pdf"]


def to_pdf(html: str) -> bytes:
    from counterfoil.report.as_pdf import to_pdf as make

    return make(html, environment().get_template("pdf.css").render())


def opened(data: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(data))


def structure(pdf: pikepdf.Pdf) -> Iterator[tuple[str, Any]]:
    """Every element of the structure in reading order: its kind and itself."""
    roles = dict(pdf.Root.StructTreeRoot.get("/RoleMap", {}))

    def walk(node: Any) -> Iterator[tuple[str, Any]]:
        kids = node.get("/K", [])
        for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
            if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
                yield str(roles.get(str(kid.S), kid.S)), kid
                yield from walk(kid)

    yield from walk(pdf.Root.StructTreeRoot)


def objects(pdf: pikepdf.Pdf) -> Iterator[tuple[str, Any]]:
    """Every entry of every dictionary of the file."""
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
            found = thing if isinstance(thing, pikepdf.Dictionary) else thing.stream_dict
            yield from ((str(key), value) for key, value in found.items())


# PDF/UA


@pytest.mark.parametrize("name", KINDS)
def test_the_pdf_is_marked_and_says_its_language_title_and_standard(name: str) -> None:
    pdf = opened(pdf_of(name))
    assert bool(pdf.Root.MarkInfo.Marked)
    assert str(pdf.Root.Lang) == "en"
    assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
    assert str(pdf.docinfo["/Title"]) == "Bridge to work: Evaluation report"
    with pdf.open_metadata() as metadata:
        assert metadata["dc:title"] == "Bridge to work: Evaluation report"
        assert metadata["pdfuaid:part"] == "1"
    assert all(str(page.Tabs) == "/S" for page in pdf.pages)
    assert not pdf.is_encrypted


@pytest.mark.parametrize("name", KINDS)
def test_headings_are_those_of_the_page_and_go_down_one_at_a_time(name: str) -> None:
    levels = [int(kind[2]) for kind, _ in structure(opened(pdf_of(name))) if re.fullmatch(r"/H[1-6]", kind)]
    page = files_of(name)["report.html"].decode()
    assert levels == [int(n) for n in re.findall(r"<h([1-6])", page)]
    assert levels.count(1) == 1
    assert max(b - a for a, b in pairwise(levels)) <= 1


@pytest.mark.parametrize("name", KINDS)
def test_every_chart_is_a_figure_with_its_words(name: str) -> None:
    spoken = [str(kid.Alt) for kind, kid in structure(opened(pdf_of(name))) if kind == "/Figure"]
    page = files_of(name)["report.html"].decode()
    assert spoken == [ET.fromstring(svg).findtext("title") for svg in SVG.findall(page)]


@pytest.mark.parametrize("name", KINDS)
def test_every_table_has_its_headers_and_cells_point_at_them(name: str) -> None:
    pdf = opened(pdf_of(name))
    found = list(structure(pdf))
    page = files_of(name)["report.html"].decode()

    def marked(wanted: str) -> int:
        return len([kind for kind, _ in found if kind == wanted])

    # a table that goes on over the page is begun again, with its header and its foot
    assert marked("/Table") >= len(re.findall("<table", page))
    assert marked("/TD") >= len(re.findall("<td[ >]", page))
    assert marked("/TH") >= len(re.findall("<th[ >]", page))
    assert marked("/Caption") >= len(re.findall("<caption", page))
    names = {bytes(kid.ID) for kind, kid in found if kind == "/TH" and "/ID" in kid}
    for kind, kid in found:
        if kind == "/TD":
            attributes = kid.A if isinstance(kid.A, pikepdf.Array) else [kid.A]
            headers = [bytes(h) for a in attributes for h in a.get("/Headers", [])]
            assert headers
            assert set(headers) <= names


@pytest.mark.parametrize("name", KINDS)
def test_fonts_are_embedded_and_are_ours(name: str) -> None:
    """Ours alone, whatever this machine has, so that it looks the same everywhere."""
    check_fonts(pdf_of(name))


def check_fonts(data: bytes) -> None:
    pdf = opened(data)
    fonts = [v for key, v in objects(pdf) if key == "/FontDescriptor"]
    assert fonts
    for descriptor in fonts:
        assert "/FontFile2" in descriptor or "/FontFile3" in descriptor
        assert SHIPPED in str(descriptor.FontName)


def test_welsh_letters_are_in_the_font_that_we_ship() -> None:
    letters = "ŵ ŷ â ê î ô û ẁ ẃ ẅ ỳ Ŵ Ŷ"
    made = to_pdf(files_of("refused")["report.html"].decode().replace("Bridge to work", letters))
    assert letters in texts_of("a.pdf", made)
    check_fonts(made)


def glyphs_drawn(data: bytes) -> Iterator[tuple[str, Any]]:
    """Each letter that a PDF says it shows, and the outline that it draws for it."""
    pdf = opened(data)
    for font in [o for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and o.get("/Subtype") == "/Type0"]:
        program = font.DescendantFonts[0].FontDescriptor.get("/FontFile2", font.DescendantFonts[0].FontDescriptor)
        drawn = TTFont(io.BytesIO(program.read_bytes()))
        said = re.findall(r"<([0-9a-f]{4})> <([0-9a-f]{4})>", font.ToUnicode.read_bytes().decode())
        for glyph, letter in said:
            yield chr(int(letter, 16)), outline(drawn, drawn.getGlyphName(int(glyph, 16)))


def outline(font: TTFont, name: str) -> Any:
    glyphs = font.getGlyphSet()
    pen = DecomposingRecordingPen(glyphs)  # ŵ is made of parts, whose names are not kept
    glyphs[name].draw(pen)
    return pen.value


def test_each_letter_is_drawn_with_its_own_shape() -> None:
    """What a PDF says it shows is not what it draws, where two files pass for one font: ŵ was drawn as a semicolon."""
    from counterfoil.report import as_pdf

    shipped: dict[str, list[Any]] = {}
    for file in (Path(as_pdf.__file__).parent / "fonts").glob("*.woff2"):
        font = TTFont(file)
        for code, name in font.getBestCmap().items():
            shipped.setdefault(chr(code), []).append(outline(font, name))
    made = to_pdf(files_of("refused")["report.html"].decode().replace("Bridge to work", "y grŵp, y tŷ; 24 ŵyr"))
    letters = set("ŵŷ;ygrtb")  # figures and some others have a second shape, for tables
    drawn = [(letter, shape) for letter, shape in glyphs_drawn(made) if letter in letters]
    assert {letter for letter, _ in drawn} == letters
    assert not [letter for letter, shape in drawn if shape not in shipped[letter]]


def test_the_font_comes_with_its_licence() -> None:
    from counterfoil.report import as_pdf

    licence = Path(as_pdf.__file__).parent / "fonts" / "LICENSE"
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence.read_text("utf-8")


# the same bytes


def test_two_processes_make_the_same_bytes(tmp_path: Path) -> None:
    code = ("import sys; sys.path[:0] = ['tests']; from counterfoil.report import render; "
            "from lib.reports import REPORTS; from lib.results import ABOUT; "
            "sys.stdout.buffer.write(render(REPORTS['fewer'](), ABOUT, pdf=True).files['report.pdf'])")  # fmt: skip
    made = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=Path(__file__).parents[2],
                           env={"PYTHONHASHSEED": seed, "TZ": zone, "PATH": "", "HOME": str(tmp_path)}).stdout
            for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))]  # fmt: skip
    assert made[0] == made[1] == pdf_of("fewer")


# R22 and R24


@pytest.mark.parametrize("name", KINDS)
def test_r24_the_pdf_has_no_author_maker_date_or_path(name: str) -> None:
    data = pdf_of(name)
    pdf = opened(data)
    assert set(pdf.docinfo.keys()) == {"/Title"}
    xmp = pdf.Root.Metadata.read_bytes().decode()
    assert not re.search(r"WeasyPrint|CreateDate|ModifyDate|CreatorTool|creator", xmp)
    streams = [o for o in pdf.objects if isinstance(o, pikepdf.Stream) and "/Length1" not in o]
    everything = data + b"".join(stream.read_bytes() for stream in streams)
    assert not re.search(rb"/home/|/root|/tmp/|/usr/|WeasyPrint|D:20\d\d", everything)


@pytest.mark.parametrize("planted", ["<p>47</p>", '<svg class="bar" viewBox="0 0 9 9"><title>of 47</title></svg>'])
def test_r22_a_planted_number_in_text_or_alternative_text_is_found(planted: str) -> None:
    files = dict(files_of("fewer"))
    page = files["report.html"].decode()
    files["report.pdf"] = to_pdf(page.replace("</main>", f"{planted}</main>"))
    with pytest.raises(Fault, match=r"report\.pdf"):
        check_numbers(files, EVALUATIONS["fewer"](), ABOUT)


def test_r22_a_planted_number_in_the_metadata_is_found() -> None:
    files = dict(files_of("fewer"))
    pdf, changed = opened(pdf_of("fewer")), io.BytesIO()
    pdf.docinfo["/Subject"] = "47 people"
    pdf.save(changed)
    files["report.pdf"] = changed.getvalue()
    with pytest.raises(Fault, match=r"report\.pdf"):
        check_numbers(files, EVALUATIONS["fewer"](), ABOUT)


# A9 and A6


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server on the loopback, and what was asked of it."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def hostile(address: str, secret: Path) -> tuple[str, ...]:
    return (
        f'<img src="file://{secret}"><link rel="attachment" href="file://{secret}">',
        f'<img src="{address}/a"><script src="{address}/b"></script>',
        f'</style><style>@import url("{address}/c");body{{background:url({address}/d)}}</style>',
        '=HYPERLINK("x")',
        "before ‮esrever‬ after",
    )


def test_a09_what_a_provider_writes_is_shown_and_nothing_is_fetched_or_attached(
    listener: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, asked = listener
    secret = tmp_path / "secret.txt"
    secret.write_text("a planted secret")
    text = " ".join(hostile(address, secret))
    words = ProviderWords(response=text, responded=dt.date(2026, 2, 27), other_evidence=text)
    about = replace(ABOUT, description=text, words=words, languages=("en", "cy"), drafts=("cy",))
    files = render(EVALUATIONS["fewer"](), about, pdf=True).files
    assert asked == []
    for name, language in (("report.pdf", "en"), ("report.cy.pdf", "cy")):
        made = files[name]
        shown = re.sub(r"\s", "", texts_of("a.pdf", made))
        said = re.sub(r"\s", "", text.replace("\u202e", "[U+202E]").replace("\u202c", "[U+202C]"))
        assert shown.count(said) == 3
        keys = {key for key, _ in objects(opened(made))}
        assert not keys & {"/EmbeddedFiles", "/EF", "/AF", "/URI", "/JS", "/OpenAction", "/Launch"}
        assert not opened(made).attachments
        assert str(opened(made).Root.Lang) == language
        check_fonts(made)


def test_a09_a_page_that_asks_for_anything_has_no_pdf(listener: tuple[str, list[str]], tmp_path: Path) -> None:
    """Even where the escaping failed."""
    address, asked = listener
    secret = tmp_path / "secret.txt"
    secret.write_text("a planted secret")
    page = files_of("refused")["report.html"].decode()
    for markup in hostile(address, secret)[:3]:
        with pytest.raises(Fault, match="A9"):
            to_pdf(page.replace("</main>", f"{markup}</main>"))
    assert asked == []


@pytest.mark.parametrize("address", ["https://example.org/x", "file:///etc/x"])
def test_a09_a_link_or_an_attachment_in_a_pdf_is_refused(address: str) -> None:
    files = dict(files_of("refused"))
    page = files["report.html"].decode()
    files["report.pdf"] = to_pdf(page.replace("</main>", f'<a href="{address}">x</a></main>'))
    with pytest.raises(Fault, match="A9"):
        check_numbers(files, REPORTS["refused"](), ABOUT)


def test_a06_ten_thousand_characters_without_a_space_stay_on_the_page() -> None:
    about = replace(ABOUT, description="x7" * 5_000)
    made = render(REPORTS["fewer"](), about, pdf=True).files["report.pdf"]
    reader = pypdf.PdfReader(io.BytesIO(made))
    text = "".join(page.extract_text() for page in reader.pages)
    assert re.sub(r"\s", "", text).count("x7") >= 5_000 - len(reader.pages)
