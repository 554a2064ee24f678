"""What becomes public, what is refused, corrections, early sight, and that the site holds published numbers alone."""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import json
import os
import re
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import rdflib

from counterfoil import publication
from counterfoil.clearance import Signer, actions, read_record
from counterfoil.clearance.audit import AUDIT
from counterfoil.clearance.release import read_release
from counterfoil.errors import Fault, Refused, UsageError
from counterfoil.lab.files import leftovers
from counterfoil.publication.allowed import check_numbers
from counterfoil.publication.findings import findings_of
from counterfoil.publication.published import read_published
from counterfoil.publication.releasing import apart_pairs, files_under
from counterfoil.publication.site import _site
from lib import reports
from lib.clearance import REASON
from lib.site import DAY, V1, V2, Press, noon, press, texts_in

EVIL = "<script>alert(1)</script> \u202egnp.exe"
ATOM = "{http://www.w3.org/2005/Atom}"
LATER, CORRECTED = "2026-09-07", "2026-08-10"


@pytest.fixture
def lab(tmp_path: Path) -> Press:
    return press(tmp_path / "lab")


def corrected(lab: Press) -> Press:
    """V1 is public, and V2 has replaced it a week later."""
    then = lab.published(V1, reports.fewer())
    why = "The dates of one site were of another year."
    return then.published(V2, reports.amber(), CORRECTED, corrects=V1, reason=why)


def test_r27_a_report_that_is_not_cleared_is_refused(lab: Press) -> None:
    lab.add(V1, reports.fewer())
    with pytest.raises(Refused) as refused:
        lab.plan(V1)
    assert refused.value.exit_code == 3
    with pytest.raises(Refused) as refused:
        lab.release(noon(DAY), V1)
    assert (refused.value.rule, refused.value.exit_code) == ("R27", 3)


def test_r29_bytes_that_changed_after_approval_are_refused(lab: Press) -> None:
    lab.add(V1, reports.fewer()).clear(V1).plan(V1)
    page = lab.lab.paths.run(V1) / "report.html"
    page.write_bytes(page.read_bytes() + b" ")
    with pytest.raises(Refused) as refused:
        lab.on(DAY).release(noon(DAY), V1)
    assert refused.value.rule == "R29"
    assert not lab.lab.paths.published(V1).exists()


def test_r29_published_bytes_that_changed_stop_the_site(lab: Press) -> None:
    then = lab.published(V1, reports.fewer())
    page = then.lab.paths.published(V1) / "report.html"
    page.write_bytes(page.read_bytes().replace(b"26", b"27", 1))
    with pytest.raises(Refused) as refused:
        then.site(noon(DAY))
    assert refused.value.rule == "R29"


def test_only_a_publisher_with_the_key_in_force_publishes(lab: Press) -> None:
    then = lab.add(V1, reports.fewer()).clear(V1).plan(V1).on(DAY)
    with pytest.raises(Refused) as refused:
        then.release(noon(DAY), V1, by="amina")  # its author
    assert refused.value.rule == "people"
    stolen = Signer("dan", then.office.keys["ben"])
    with pytest.raises(Refused):
        publication.release(then.lab, signer=stolen, now=noon(DAY), run=V1)
    assert not then.lab.paths.published(V1).exists()


def test_a_broken_log_stops_everything(lab: Press) -> None:
    then = lab.published(V1, reports.fewer())
    log = then.office.log
    log.write_bytes(log.read_bytes().replace(b'"dan"', b'"ben"', 1))
    for act in (lambda: then.site(noon(DAY)), lambda: then.release(noon(DAY)), lambda: then.plan(V2)):
        with pytest.raises(Refused) as refused:
            act()
        assert (refused.value.rule, refused.value.exit_code) == ("log", 3)


def test_a_correction_leaves_what_was_published_where_it_was(lab: Press) -> None:
    first = lab.published(V1, reports.fewer())
    before = first.site(noon(DAY))
    then = first.published(V2, reports.amber(), CORRECTED, corrects=V1, reason="One site was of another year.")
    site = then.site(noon(CORRECTED))
    gone = {name for name in before if name not in site}
    assert gone == set()
    assert site[f"reports/{V1}/as-published/report.html"] == before[f"reports/{V1}/report.html"]
    assert site[f"reports/{V1}/report.json"] == before[f"reports/{V1}/report.json"]
    for page in (f"reports/{V1}/index.html", f"reports/{V1}/report.html", "corrections.html"):
        text = site[page].decode()
        assert "One site was of another year." in text
        assert V2 in text
        assert "10 August 2026" in text
    assert b"replaces an earlier one" in site[f"reports/{V2}/index.html"]
    with pytest.raises(Refused):  # it is corrected already
        then.add("00000000000c", reports.fewer()).clear("00000000000c").plan(
            "00000000000c", "2026-08-17", corrects=V1, reason="Again."
        )


def except_rule(lab: Press, run: str, *cells: str, rule: str = "R13") -> None:
    """The audit finds these cells under the rule, and each is allowed by somebody of a higher grade (R28)."""
    findings = [{"rule": rule, "cell": cell, "never": False} for cell in cells]
    said = {"release": read_release(lab.lab.paths, run).digest, "passed": False, "findings": findings}
    (lab.lab.paths.run(run) / AUDIT).write_text(json.dumps(said))
    sign = lab.office.signer
    for cell in cells:
        asked = actions.ask_exception(
            lab.lab, run, signer=sign("amina"), rule=rule, cell=cell, reason=REASON, risk="Low.", until="2026-12-31"
        ).exceptions[-1]
        actions.allow_exception(lab.lab, run, asked.entry, signer=sign("eve"))


def test_r28_every_exception_is_in_the_table_of_its_year_and_no_report_is_named(lab: Press) -> None:
    """One report rests on two exceptions; another, which nobody knows of yet, rests on one and is not counted. Nor is
    one that was allowed and that the report did without in the end."""
    lab.add(V1, reports.fewer()).add(V2, reports.amber())
    except_rule(lab, V1, "a cell that a later audit found nothing against")
    except_rule(lab, V1, "the first cell", "the second cell")
    except_rule(lab, V2, "a third cell")
    lab.clear(V1).clear(V2).plan(V1).plan(V2, LATER)
    then = lab.on(DAY)
    then.release(noon(DAY), V1)
    site = then.site(noon(DAY))
    assert json.loads(site["register.json"])["years"] == [
        {"year": 2026, "reports": 1, "corrections": 0, "exceptions": {"R13": 2}}
    ]
    assert "R13: 2" in re.sub(r"<[^>]*>", " ", site["about.html"].decode())
    said = texts_in({name: data for name, data in site.items() if not name.startswith(f"reports/{V1}/")})
    for secret in (b"cell", REASON.encode(), b"Low.", b"eve", b"amina"):
        assert re.search(rb"\b" + secret + rb"\b", said) is None


def test_r28_an_exception_that_let_a_held_list_go_on_is_in_the_table_once(lab: Press) -> None:
    """R18 is decided before there is a report: what is submitted later rests on it, whatever the audit says then."""
    lab.add(V1, reports.fewer())
    except_rule(lab, V1, "the report of another year is of nearly the same people", rule="R18")
    except_rule(lab, V1, "a cell")
    then = lab.clear(V1).plan(V1).on(DAY)
    then.release(noon(DAY), V1)
    (year,) = json.loads(then.site(noon(DAY))["register.json"])["years"]
    assert year["exceptions"] == {"R13": 1, "R18": 1}


def test_r28_a_year_without_exceptions_says_so(lab: Press) -> None:
    site = corrected(lab).site(noon(CORRECTED))
    assert json.loads(site["register.json"])["years"] == [
        {"year": 2026, "reports": 2, "corrections": 1, "exceptions": {}}
    ]
    assert re.search(r"<tr><th scope=\"row\">2026</th>.*>None</td></tr>", site["about.html"].decode())


def test_r22_words_that_become_public_hold_no_number(lab: Press) -> None:
    then = lab.published(V1, reports.fewer()).add(V2, reports.amber()).clear(V2)
    with pytest.raises(Refused) as refused:
        then.plan(V2, "2026-08-10", corrects=V1, reason="7 people were missing.")
    assert refused.value.rule == "R22"


def test_early_sight_is_a_day_long_and_only_its_office_becomes_public(lab: Press) -> None:
    lab.add(V1, reports.fewer()).clear(V1)
    person = {"name": "Winifred Secretname", "office": "Minister for prisons", "reason": "To answer in the House."}
    dan = lab.office.signer("dan")
    with pytest.raises(Refused):  # no day is fixed
        publication.grant(lab.lab, V1, signer=dan, **person)
    lab.plan(V1)
    with pytest.raises(Refused):
        publication.grant(lab.lab, V1, signer=lab.office.signer("ben"), **person)
    seen = publication.grant(lab.lab, V1, signer=dan, **person)
    assert seen.ends == dt.datetime(2026, 8, 3, 8, 30, tzinfo=dt.UTC)
    assert seen.ends - seen.starts == dt.timedelta(hours=24)
    assert b"Secretname" not in lab.office.log.read_bytes()
    then = lab.on(DAY)
    then.release(noon(DAY))
    site = texts_in(then.site(noon(DAY)))
    assert b"Minister for prisons" in site
    assert b"Secretname" not in site
    assert b"in the House" not in site


def test_r22_a_number_that_no_report_holds_is_not_written(lab: Press) -> None:
    then = lab.published(V1, reports.fewer())
    site = _site(then.lab, read_record(then.lab), noon(DAY))
    page = then.site(noon(DAY))["index.html"]
    check_numbers({"index.html": page}, site, ())
    with pytest.raises(Fault, match="R22"):
        check_numbers({"index.html": page.replace(b"</h1>", b" 77123</h1>")}, site, ())


def test_r22_every_headline_number_of_the_register_is_in_its_report(lab: Press) -> None:
    then = lab.published(V1, reports.fewer())
    (row,) = json.loads(then.site(noon(DAY))["register.json"])["reports"]
    first = json.loads((then.lab.paths.run(V1) / "report.json").read_bytes())["measures"][0]
    assert [row[end] for end in ("difference", "low", "high")] == [first[end] for end in ("difference", "low", "high")]
    assert row["people"] == first["treated"]["n"]
    assert row["sha256"] == then.office.case(V1).release


def test_a06_what_a_provider_wrote_is_text_everywhere(lab: Press) -> None:
    then = lab.published(V1, reports.fewer(), title='=HYPERLINK("x")', provider=EVIL, description="a" * 10_000)
    site = then.site(noon(DAY))
    for name, data in site.items():
        if name.endswith((".html", ".xml")) and "report.html" not in name:
            assert b"<script" not in data
            assert "\u202e".encode() not in data
    (row,) = csv.DictReader(io.StringIO(site["register.csv"].decode()))
    assert row["title"] == '\'=HYPERLINK("x")'
    assert float(row["difference"]) < 0  # a number stays a number


def test_a09_no_page_runs_or_fetches_anything(lab: Press) -> None:
    site = corrected(lab).site(noon(CORRECTED))
    pages = {
        n: d.decode() for n, d in site.items() if n.endswith(".html") and "/report" not in n.replace("reports/", "")
    }
    assert len(pages) >= 10
    for text in pages.values():
        assert "Content-Security-Policy\" content=\"default-src 'none'" in text
        assert not re.search(r"<script|<iframe|<img|\son\w+=|https?:|style=\"", text)
        assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
        for target in re.findall(r'href="([^"#]+)', text):
            assert not target.startswith("/")


def test_every_link_of_the_site_leads_to_a_file_of_it(lab: Press) -> None:
    site = corrected(lab).site(noon(CORRECTED))
    for name, data in site.items():
        if name.endswith(".html"):
            for target in re.findall(r'(?<![\w-])href="([^"#]+)"', data.decode()):
                at = (Path("/") / name).parent / target
                assert str(Path("/").joinpath(*_plain(at.parts[1:])))[1:] in site, (name, target)


def _plain(parts: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for part in parts:
        found = found[:-1] if part == ".." else [*found, part]
    return found


def test_the_feed_is_atom(lab: Press) -> None:
    """RFC 4287, 4.1: what a feed and an entry must have; times that grow; identifiers that differ and stay."""
    feed = ET.fromstring(corrected(lab).site(noon(CORRECTED))["feed.xml"])
    assert feed.tag == f"{ATOM}feed"
    entries = feed.findall(f"{ATOM}entry")
    for part in (feed, *entries):
        for needed in ("id", "title", "updated"):
            assert len(part.findall(f"{ATOM}{needed}")) == 1
        assert part.find(f"{ATOM}link") is not None
        assert part.find(f"{ATOM}author/{ATOM}name") is not None
        assert dt.datetime.fromisoformat(part.findtext(f"{ATOM}updated") or "").tzinfo is not None
    identities = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(identities)) == len(entries) == 2
    assert {entry.findtext(f"{ATOM}updated") for entry in entries} == {"2026-08-10T09:30:00+01:00"}
    assert ET.fromstring(press(lab.lab.paths.root.parent / "empty").site(noon(DAY))["feed.xml"]).tag == f"{ATOM}feed"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's own reader uses a class that it calls old
def test_the_catalogue_is_dcat(lab: Press) -> None:
    """Read by another program: two datasets, each with an issue date and a distribution a file with its hash."""
    then = corrected(lab)
    graph = rdflib.Graph().parse(data=then.site(noon(CORRECTED))["catalogue.jsonld"], format="json-ld")
    dcat, dct = rdflib.Namespace("http://www.w3.org/ns/dcat#"), rdflib.DCTERMS
    datasets = set(graph.subjects(rdflib.RDF.type, dcat.Dataset))
    assert len(datasets) == 2
    assert len(set(graph.objects(None, dcat.dataset))) == 2
    files = sum(len(list(graph.objects(each, dcat.distribution))) for each in datasets)
    folder = then.lab.paths.published
    assert files == sum(path.is_file() for run in (V1, V2) for path in folder(run).rglob("*"))
    assert {str(value) for value in graph.objects(None, dct.issued)} == {DAY, CORRECTED}
    assert len(list(graph.subject_objects(dct.isReplacedBy))) == 1


def test_findings_stand_in_order_of_date_and_count_every_ending(lab: Press) -> None:
    then = lab.published(V1, reports.more()).published(V2, reports.fewer(), LATER, title="Later")
    then = then.published("00000000000c", reports.not_suitable(), "2026-10-05", title="Not for this")
    page = then.site(noon("2026-10-05"))["findings.html"].decode()
    kinds = page[page.index('id="h-kinds"') : page.index('id="h-sectors"')]
    assert kinds.index(f"reports/{V1}/") < kinds.index(f"reports/{V2}/")
    assert "Do not rank these reports" in page
    counts = dict(re.findall(r'<span class="pill (\w+)">[^<]*</span></th><td class="number">(\d+)</td>', page))
    assert counts == {"fewer": "1", "more": "1", "not_enough_evidence": "0", "hidden": "0", "refused": "0",
                      "not_suitable": "1"}  # fmt: skip
    assert "<script" not in page


def test_a_warning_stands_wherever_the_finding_does(lab: Press) -> None:
    site = lab.published(V1, reports.unreliable()).site(noon(DAY))
    (caveat, *_) = json.loads(site[f"reports/{V1}/report.json"])["caveats"]
    for page in ("index.html", f"reports/{V1}/index.html"):
        assert caveat in html.unescape(site[page].decode())
    for page in ("findings.html", "register.html"):
        assert '<span class="pill unsound">unreliable</span>' in site[page].decode()


def test_r18_results_are_put_together_only_where_nobody_is_in_two(lab: Press) -> None:
    then = lab.published(V1, reports.fewer()).published(V2, reports.amber(), LATER)

    def pooled() -> object:
        published = read_published(then.lab, read_record(then.lab), noon(LATER))
        return findings_of(published, apart_pairs(then.lab)).kinds[0].pooled

    assert pooled() is None
    publication.note_apart(then.lab, V2, [V1])
    assert pooled() is not None
    assert "All together" in then.site(noon(LATER))["findings.html"].decode()


@pytest.mark.parametrize("other", [{"waiting_months": 3}, {"follow_up_months": 24}])
def test_results_that_ask_different_things_are_not_put_together(lab: Press, other: Mapping[str, int]) -> None:
    """A year of follow-up with six months to be convicted in is another measure than one with three, or two years."""
    then = lab.published(V1, reports.fewer()).published(V2, reports.amber(), LATER, outcomes=other)
    publication.note_apart(then.lab, V2, [V1])
    published = read_published(then.lab, read_record(then.lab), noon(LATER))
    (kind,) = findings_of(published, apart_pairs(then.lab)).kinds
    assert (len(kind.reports), kind.pooled) == (2, None)


def test_a_site_is_never_built_over_something_else(lab: Press, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError):
        publication.build(lab.lab, now=noon(DAY), out=tmp_path / "other")
    assert (tmp_path / "other" / "thesis.txt").read_text() == "mine"
    built = publication.build(lab.lab, now=noon(DAY))
    assert built.folder == lab.lab.paths.site
    assert (built.folder / "index.html").is_file()


@pytest.mark.slow
def test_a12_killed_at_any_moment_the_site_is_the_old_or_the_new_one(lab: Press) -> None:
    first = lab.published(V1, reports.fewer())
    publication.build(first.lab, now=noon(DAY))
    old = files_under(first.lab.paths.site)
    then = first.published(V2, reports.amber(), CORRECTED, corrects=V1, reason="One site was of another year.")
    new = then.site(noon(CORRECTED))
    started = time.monotonic()
    publication.build(then.lab, now=noon(CORRECTED), out=lab.lab.paths.root.parent / "elsewhere")
    whole, seen = time.monotonic() - started, []
    for part in range(1, 13):
        child = os.fork()
        if child == 0:  # pragma: no cover - it is killed, or ends without a word
            publication.build(then.lab, now=noon(CORRECTED))
            os._exit(0)
        time.sleep(whole * part / 10)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        stands = files_under(then.lab.paths.site)
        assert stands in (old, new)
        seen.append(stands == new)
    publication.build(then.lab, now=noon(CORRECTED))
    assert files_under(then.lab.paths.site) == new
    assert leftovers(then.lab.paths.public) == []
    assert not seen[0]
