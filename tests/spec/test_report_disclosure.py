"""What leaves in a report's bytes: numbers, charts, metadata, formulas. Rule numbers are those of the rule book."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from counterfoil.disclosure import Cell, Protected, Rule
from counterfoil.disclosure.cells import MAKER, hidden
from counterfoil.errors import Fault
from counterfoil.report import render, to_json
from counterfoil.report.allow_list import allowed_numbers, check_numbers, find_strays
from counterfoil.report.as_csvw import CONTEXT
from counterfoil.report.further import FULL_MEASURES
from counterfoil.report.numbers import exact
from counterfoil.report.read_back import texts_of
from counterfoil.report.tables import Table, to_csv
from counterfoil.report.trust import rows_of
from counterfoil.units import Kind
from lib.reports import EVALUATIONS, REFUSALS, REPORTS, files_of, with_everything
from lib.results import ABOUT

SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)


def html_of(name: str) -> str:
    return files_of(name)["report.html"].decode()


def charts_of(html: str) -> Iterator[ET.Element]:
    for found in SVG.findall(html):
        yield ET.fromstring(found)


def by_id(html: str) -> dict[str, ET.Element]:
    return {str(chart.attrib["aria-labelledby"]): chart for chart in charts_of(html)}


# R21


def in_axis_units(cell: Cell, kind: Kind) -> Decimal:
    """A rate's bar is drawn in per cent, all else in its own unit."""
    return abs(exact(cell)) * (100 if kind is Kind.RATE else 1)


@pytest.mark.parametrize("name", EVALUATIONS)
def test_r21_the_coordinates_of_charts_are_protected_values(name: str) -> None:
    protected, charts = EVALUATIONS[name](), by_id(html_of(name))
    for measure in protected.measures[:FULL_MEASURES]:  # the others are a table
        for side, group in enumerate((measure.treated, measure.comparison)):
            bar = charts.get(f"bar-{measure.measure.name}-{side}")
            assert (bar is None) is (group.value.value is None)
            if bar is not None:
                width = bar.find("rect[@class='value']")
                assert width is not None
                assert Decimal(width.attrib["width"]) == in_axis_units(group.value, measure.measure.kind)
        drawn = charts.get(f"range-{measure.measure.name}")
        assert (drawn is None) is (measure.estimate.difference.value is None)
        if drawn is not None:
            ends, middle = drawn.find("line[@class='range']"), drawn.find("line[@class='estimate']")
            assert ends is not None
            assert middle is not None
            assert Decimal(ends.attrib["x1"]) == exact(measure.estimate.low)
            assert Decimal(ends.attrib["x2"]) == exact(measure.estimate.high)
            assert Decimal(middle.attrib["x1"]) == exact(measure.estimate.difference)


def test_r21_the_curve_and_the_parts_are_drawn_from_protected_values() -> None:
    protected, charts = EVALUATIONS["with_everything"](), by_id(html_of("with_everything"))
    survival = protected.survival
    assert survival is not None
    lines = charts["curve-of-everyone"].findall("polyline")
    for line, side in zip(lines, ("comparison", "treated"), strict=True):
        drawn = [tuple(map(Decimal, place.split(","))) for place in line.attrib["points"].split()]
        shown = [(exact(p.month), -100 * exact(getattr(p, side))) for p in survival.points]
        assert drawn == [(Decimal(0), Decimal(0)), *shown]
    for number, part in enumerate(protected.sub_analyses):
        drawn_part = charts.get(f"part-{number}")
        assert (drawn_part is None) is (part.difference.value is None)
        if drawn_part is not None:
            ends = drawn_part.find("line[@class='range']")
            assert ends is not None
            assert (Decimal(ends.attrib["x1"]), Decimal(ends.attrib["x2"])) == (exact(part.low), exact(part.high))


def test_r21_every_way_is_drawn_from_protected_values_over_the_headlines_range() -> None:
    protected, charts = EVALUATIONS["with_everything"](), by_id(html_of("with_everything"))
    rows = rows_of(protected)
    first, drawn = rows[0], 0
    for place, way in enumerate(rows):
        picture = charts.get(f"way-{place}")
        assert (picture is None) is (way.hidden is not None)
        if picture is None:
            continue
        drawn += 1
        if way.is_headline:
            points = [Decimal(p.split(",")[0]) for p in picture.find("polygon").attrib["points"].split()]  # type: ignore[union-attr]
            assert points[:3:2] == [exact(way.low), exact(way.high)]
            continue
        ends, band = picture.find("line[@class='range']"), picture.find("rect[@class='band']")
        middle = picture.find("line[@class='estimate']")
        assert ends is not None
        assert band is not None
        assert middle is not None
        assert (Decimal(ends.attrib["x1"]), Decimal(ends.attrib["x2"])) == (exact(way.low), exact(way.high))
        assert Decimal(middle.attrib["x1"]) == exact(way.difference)
        assert Decimal(band.attrib["x"]) == exact(first.low)
        assert Decimal(band.attrib["width"]) == exact(first.high) - exact(first.low)
    assert drawn >= 5


@pytest.mark.parametrize("name", EVALUATIONS)
def test_r21_as_many_dots_are_filled_as_the_protected_number_says(name: str) -> None:
    protected, charts = EVALUATIONS[name](), by_id(html_of(name))
    for side, group in enumerate((protected.headline.treated, protected.headline.comparison)):
        dots = charts.get(f"dots-{side}")
        assert (dots is None) is (group.per_100.value is None)
        if dots is not None:
            assert len(dots.findall("circle[@class='dot on']")) == group.per_100.value
            assert len(dots.findall("circle")) == 100


def test_r21_no_other_coordinate_depends_on_a_result() -> None:
    """With the drawn values taken out, two reports of one kind have the same shapes."""

    def shape(name: str) -> list[tuple[str, dict[str, str]]]:
        data = {"width", "x", "x1", "x2", "viewBox"}
        return [
            (e.tag, {k: v for k, v in e.attrib.items() if k not in data})
            for chart in charts_of(html_of(name))
            if chart.attrib["class"] != "dots"
            for e in chart.iter()
        ]

    assert shape("more") == shape("unreliable")


# R22


@pytest.mark.parametrize("name", REPORTS)
def test_r22_every_number_is_on_the_allow_list(name: str) -> None:
    protected = REPORTS[name]()
    assert find_strays(files_of(name), protected, ABOUT) == []


@pytest.mark.parametrize("file", ["report.html", "report.json", "tables/results.csv"])
@pytest.mark.parametrize("planted", ["47", "1,379", "0.2585", "25.853"])
def test_r22_a_planted_number_is_found(file: str, planted: str) -> None:
    protected = EVALUATIONS["fewer"]()
    files = dict(files_of("fewer"))
    text = files[file].decode()
    cell = f'"{planted}"'
    stray = {"report.html": text.replace("</main>", f"<p>{planted}</p></main>"),
             "report.json": text.replace('"fewer"', cell, 1),
             "tables/results.csv": f"{text}{cell}\r\n"}[file]  # fmt: skip
    files[file] = stray.encode()
    with pytest.raises(Fault, match=file):
        check_numbers(files, protected, ABOUT)


def test_r22_numbers_in_alternative_texts_are_read_too() -> None:
    assert "47" in texts_of("a.html", b'<p aria-label="47 people">x</p><svg><title>51</title></svg>')
    assert "51" in texts_of("a.html", b"<svg><title>51</title></svg>")


def test_r22_small_counts_are_not_allowed_by_accident() -> None:
    """The wording and the settings must not let the small numbers through that R2 hides."""
    small = {Decimal(n) for n in range(1, 10)} & allowed_numbers(EVALUATIONS["too_few"](), ABOUT)
    assert Decimal(9) not in small
    assert Decimal(7) not in small


@pytest.mark.parametrize("name", ["too_few", "few_reoffenders", "nearly_all"])
def test_r02_hidden_counts_are_in_no_file(name: str) -> None:
    """9 reoffenders of 60; 24 of 70 is shown, but not their days; 137 of 140."""
    secret = {"too_few": ("0.15", "15.0%", "9 "), "few_reoffenders": ("151", "143"), "nearly_all": ("137",)}[name]
    for file, data in files_of(name).items():
        words = re.findall(
            r"[\d.,%]+", texts_of(file, data).replace(ABOUT.plan_hash, "").replace(ABOUT.design_hash, "")
        )
        assert not {s.strip() for s in secret} & set(words), file


# R24


@pytest.mark.parametrize("name", REPORTS)
def test_r24_no_path_author_machine_or_time(name: str) -> None:
    for file, data in files_of(name).items():
        text = (texts_of(file, data) if file.endswith((".ods", ".xlsx")) else data.decode()).replace(CONTEXT, "")
        text = text.replace("2026-03-04T00:00:00Z", "")  # the day of the run, which XLSX can only say with a time
        assert not re.search(r"/home/|/root|/work|/tmp|/usr|[A-Z]:\\|file:|localhost|generator|author", text), file
        assert not re.search(r"\d\d:\d\d:\d\d", text), file
        assert not re.search(r"https?:|//[a-z]|@import|url\(|<script|<link|<iframe|<img|srcset", text), file


@pytest.mark.parametrize(
    "path", ["/srv/lab/cohort.csv", "file:///x", "C:\\lab\\cohort.csv", "~/cohort.csv", "in /srv/lab/x"]
)
def test_r24_a_fact_with_a_path_is_refused(path: str) -> None:
    with pytest.raises(Fault, match="R24"):
        replace(ABOUT, inputs=((path, "e4d9"),))
    assert replace(ABOUT, description="Health and/or housing, 24/7.").description


# R12 and R25


@pytest.mark.parametrize("name", REPORTS)
def test_r12_r29_no_report_says_of_itself_whether_it_was_cleared(name: str) -> None:
    """The approved bytes are the published ones, so what they say is true before and after (decision 21)."""
    page = html_of(name)
    assert "Published only if it is in the register" in page
    assert "it may be read only inside the lab" in page
    assert "leared for" not in page
    assert "cleared" not in json.loads(files_of(name)["report.json"])["about"]


@pytest.mark.parametrize("name", REFUSALS)
def test_r25_a_refused_run_has_its_short_report(name: str) -> None:
    files = files_of(name)
    assert REFUSALS[name]().reason in files["report.html"].decode()
    tables = {f"tables/{table}.csv" for table in ("refusal", "provider_words", "disclosure_settings", "versions")}
    described = {f"{table}-metadata.json" for table in tables}
    assert set(files) == {"report.html", "report.json", "report.ods", "report.xlsx"} | tables | described
    kept = json.loads(files["report.json"])
    assert kept["refused"]["rule"] == REFUSALS[name]().rule
    assert "measures" not in kept


# formulas (A6)


def test_a06_text_is_no_formula_and_numbers_stay_numbers() -> None:
    rows = (
        ("=HYPERLINK(1)", Cell(value=-2.5, decimals=1)),
        ("@x", Cell(value=-0.04, decimals=2)),
        ("-a", "+b"),
        ("\tt", "ok"),
    )
    read = list(csv.reader(io.StringIO(to_csv(Table("t", ("=a", "b"), rows)).decode(), newline="")))
    assert read == [["'=a", "b"], ["'=HYPERLINK(1)", "-2.5"], ["'@x", "-0.04"], ["'-a", "'+b"], ["'\tt", "ok"]]


def test_a06_what_a_plan_says_is_escaped() -> None:
    about = replace(ABOUT, title="<script>alert(1)</script>", description='"><img src=x>')
    html = render(EVALUATIONS["fewer"](), about).files["report.html"].decode()
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


# the JSON of evaluate


def test_json_has_the_fields_that_others_rely_on() -> None:
    kept = to_json(EVALUATIONS["fewer"](), "r1", "report.html")
    assert {"run", "report", "verdict", "reliable", "attrition", "balance", "measures"} <= set(kept)
    assert (kept["run"], kept["report"], kept["verdict"], kept["reliable"]) == ("r1", "report.html", "fewer", True)
    assert [(s["step"], s["n"]) for s in kept["attrition"]] == [
        ("submitted", 1000), ("linked and in scope", 871), ("comparable", 842), ("analysed", 820),
    ]  # fmt: skip
    assert {"worst_smd", "n_red", "n_amber"} <= set(kept["balance"])
    rate = kept["measures"][0]
    assert {"measure", "unit", "treated", "comparison", "difference", "low", "high", "p", "verdict", "hidden",
            "adjusted"} <= set(rate)  # fmt: skip
    assert (rate["treated"]["n"], rate["treated"]["value"], rate["comparison"]["value"]) == (820, 0.259, 0.314)
    assert rate["hidden"] is None
    assert rate["adjusted"] is None


def test_json_hides_with_null_and_the_rule() -> None:
    days = to_json(EVALUATIONS["few_reoffenders"](), "r1", None)["measures"][1]
    assert days["hidden"] == "R9"
    assert days["treated"] == {"n": None, "value": None, "hidden": "R9"}
    assert days["difference"] is days["low"] is days["high"] is days["p"] is None
    flow = to_json(EVALUATIONS["nearly_all"](), "r1", None)["attrition"]
    assert (flow[-1]["step"], flow[-1]["n"], flow[-1]["hidden"]) == ("analysed", None, "R11")


def test_json_of_a_refusal() -> None:
    kept = to_json(REFUSALS["refused"](), "r1", None)
    assert kept["run"] == "r1"
    assert kept["refused"] == {
        "rule": "R1",
        "reason": "Fewer than 60 people were submitted. A result needs at least 60.",
    }


@pytest.mark.parametrize("name", EVALUATIONS)
def test_the_csv_and_the_json_say_the_same(name: str) -> None:
    files = files_of(name)
    rows = list(csv.DictReader(io.StringIO(files["tables/results.csv"].decode(), newline="")))
    for row, measure in zip(rows, json.loads(files["report.json"])["measures"], strict=True):
        for column in ("difference", "low", "high", "p"):
            told = None if row[column].startswith("[") else float(row[column])
            assert told == measure[column]


# the page


class Page(HTMLParser):
    """What an accessibility check looks for, gathered in one pass."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember every tag."""
        self.tags.append((tag, dict(attrs)))

    def all(self, *names: str) -> list[tuple[str, dict[str, str | None]]]:
        """Tags of these names, in order."""
        return [(tag, attributes) for tag, attributes in self.tags if tag in names]


@pytest.mark.parametrize("name", REPORTS)
def test_the_page_is_marked_up_for_everybody(name: str) -> None:
    html = html_of(name)
    page = Page(html)
    assert page.tags[0] == ("html", {"lang": "en"})
    assert [len(page.all(t)) for t in ("h1", "main", "header", "footer", "title")][:4] == [1, 1, 1, 1]
    levels = [int(tag[1]) for tag, _ in page.all("h1", "h2", "h3", "h4")]
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in attributes for _, attributes in page.all("th"))
    identities = [a["id"] for _, a in page.tags if "id" in a]
    assert len(set(identities)) == len(identities)
    pointed = {a["aria-labelledby"] for _, a in page.tags if "aria-labelledby" in a}
    assert pointed <= set(identities)
    assert all(a.get("role") == "img" for _, a in page.all("svg"))
    assert html.count('<a class="skip" href="#result">') == 1
    assert not re.search(r"no effect", html, re.IGNORECASE)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("colour", "ground", "least"),
    [
        ("#0b0c0c", "#ffffff", 4.5), ("#484f56", "#ffffff", 4.5), ("#484f56", "#f4f6f8", 4.5),
        ("#ffffff", "#12436d", 4.5), ("#ffffff", "#4b5359", 4.5), ("#ffffff", "#942514", 4.5),
        ("#0b0c0c", "#fff3cd", 4.5),
        ("#0b0c0c", "#fff8e1", 4.5),
        ("#942514", "#f4f6f8", 4.5), ("#005a30", "#f4f6f8", 4.5), ("#3a4147", "#ffffff", 4.5),
        ("#12436d", "#e6e9ec", 3.0), ("#8a9299", "#ffffff", 3.0),
    ],
)  # fmt: skip
def test_colours_reach_the_contrast_that_wcag_asks_for(colour: str, ground: str, least: float) -> None:
    lighter, darker = sorted((luminance(colour), luminance(ground)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= least


@pytest.mark.parametrize("name", REPORTS)
def test_the_same_result_gives_the_same_bytes(name: str) -> None:
    first, second = (render(REPORTS[name](), ABOUT).files for _ in range(2))
    assert first == second
    assert list(first) == list(second)


def test_only_protected_results_are_rendered() -> None:
    assert all(isinstance(make(), Protected) for make in EVALUATIONS.values())


def test_r22_a_rule_that_only_the_json_names_is_no_number_of_anybody() -> None:
    """Gamma hidden for want of pairs: the page says so in words, report.json by the rule's name."""
    whole = with_everything()
    assert whole.trust is not None
    few = replace(whole, trust=replace(whole.trust, gamma=hidden(Rule.R2), maker=MAKER), maker=MAKER)
    assert b'"gamma_hidden": "R2"' in render(few, ABOUT).files["report.json"]
