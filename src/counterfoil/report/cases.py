"""Every sentence of the wording table on one page, in each language side by side, filled with example numbers.

For translators, who sign what they have read, and for whoever wants to see what a report can say. No result is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from counterfoil.disclosure import Design, Verdict
from counterfoil.report.page import PACKAGE, environment
from counterfoil.report.words import DEFAULT_LANGUAGE, LANGUAGES, TRANSLATIONS, Words, words_of
from counterfoil.templating import style_of
from counterfoil.units import Kind

RESULTS = (Verdict.FEWER, Verdict.MORE, Verdict.NOT_ENOUGH_EVIDENCE, Verdict.HIDDEN)
RELIABILITY = ("", "caveat.amber", "caveat.unreliable", "caveat.disagrees")  # well matched, and what else there is
CHANCE = {Verdict.FEWER: "unlikely", Verdict.MORE: "unlikely", Verdict.NOT_ENOUGH_EVIDENCE: "possible"}
MEASURES = {  # a measure of each kind as the program gives it: label, unit
    Kind.RATE: ("One-year proven reoffending rate", "of people"),
    Kind.COUNT: ("Number of proven reoffences a person", "reoffences a person"),
    Kind.DAYS: ("Days to first proven reoffence, among those who reoffended", "days"),
    Kind.AMOUNT: ("Weighted harm of proven reoffences a person", "points a person"),
}
NOUNS = {Kind.RATE: "reoffended", Kind.COUNT: "proven reoffences", Kind.DAYS: "days to a first reoffence"}
# What stands in a gap: made up, and the same in each language.
NUMBERS = {
    "treated": "41", "comparison": "52", "near": "3", "far": "7", "fewer": "3", "more": "7", "requests": "5",
    "smallest": "6", "people": "715", "analysed": "312", "submitted": "400", "started": "450", "number": "41",
    "difference": "\u22125", "low": "\u22127", "high": "\u22123", "ratio": "0.79", "edge": "0.05", "worst": "0.047",
    "ess": "17,690", "months": "12", "p": "0.012", "missing": "4", "min_group": "30", "threshold": "10",
    "min_difference": "10", "share": "22", "between": "48", "size": "5", "limit": "1.6", "point": "2.1",
    "gamma": "1.3", "share_to": "20", "share_from": "10", "value": "41%", "day": "4", "year": "2026",
    "version": "1", "count": "3", "first": "2015", "last": "2018", "rate": "27", "changed": "22", "least": "60",
    "chance": "8", "level": "5", "power": "80", "change": "5", "reach": "10",
    "run": "a3f0c2d94b17", "runs": "a3f0c2d94b17",
}  # fmt: skip
NAMES = {  # of the same kind
    "lab": "“H”",
    "contact": "“I”",
    "title": "“J”",
    "reason": "“K”",
    "finding": "“L”",
    "intervention": "“M”",
    "sector": "“N”",
    "rule": "“O”",
    "over": "“A”",
    "group": "“B”",
    "names": "“C”; “D”",
    "name": "“E”",
    "source": "“F”",
    "provider": "“G”",
}


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case: its name, and what it says in each language."""

    name: str
    texts: tuple[tuple[str, str], ...]  # language, sentence


def filling(words: Words, kind: Kind = Kind.RATE, design: Design = Design.MATCHED) -> dict[str, str]:
    """An example for every gap of the table."""
    label, unit = MEASURES[kind]
    said = {
        "label": words.given(label),
        "noun": NOUNS.get(kind, ""),
        "unit": words.given(unit),
        "per": words("per.hundred" if kind is Kind.COUNT else "per.person"),
        "who_treated": words(f"who.{design.value}.treated"),
        "who_comparison": words(f"who.{design.value}.comparison"),
        "month": words("month.3"),
        "date": words("page.date", day="4", month=words("month.3"), year="2026"),
        "estimand": words("estimand.ATT_MATCHED"),
        "asked": words("estimand.ATT"),
        "window": words.given("Records cover dates up to 31 December 2020"),
        "why": words("rule.R17", min_difference="10"),
    }
    made = {**NUMBERS, **NAMES, **said}
    return {
        **made,
        "headline": words(f"headline.{kind.value}.fewer", **made),
        "interval": words(f"interval.{kind.value}.fewer", **made),
        "points": words("powerpage.alt_point", **made),
    }


def result_cases() -> Iterator[CaseView]:
    """What is said of a result: measure x direction, significance x design x reliability; the gate's refusal last."""
    for kind, verdict, design, caveat in product(Kind, RESULTS, Design, RELIABILITY):
        if (verdict is Verdict.HIDDEN and caveat) or (design is Design.RANDOMISED and caveat == "caveat.amber"):
            continue  # a hidden result has no warning of its numbers; a trial has another word for what chance made
        name = ", ".join(filter(None, (kind.value, verdict.value, design.value, caveat.removeprefix("caveat."))))
        yield CaseView(
            name, tuple((lang, _result(words_of(lang), kind, verdict, design, caveat)) for lang in LANGUAGES)
        )
    for verdict in (Verdict.REFUSED, Verdict.NOT_SUITABLE):
        said = [(lang, words_of(lang)) for lang in LANGUAGES]
        keys = ("refusal.title", f"refusal.{verdict.value}", "refusal.why", f"refusal.next_{verdict.value}")
        yield CaseView(verdict.value, tuple((lang, " ".join(words(key) for key in keys)) for lang, words in said))


def _result(words: Words, kind: Kind, verdict: Verdict, design: Design, caveat: str) -> str:
    made = filling(words, kind, design)
    said = [
        words(f"headline.{kind.value}.{verdict.value}", **made),
        words(f"interval.{kind.value}.{verdict.value}", **made),
    ]
    said += [words(caveat)] if caveat else []
    chance = "borderline" if caveat == "caveat.disagrees" else CHANCE.get(verdict, "")
    said += [words(f"can.chance_{chance}")] if chance else [words("can.hidden")]
    said += [words("can.more_needed")] if verdict is Verdict.NOT_ENOUGH_EVIDENCE else []
    causal = verdict in (Verdict.FEWER, Verdict.MORE)
    cannot = (
        f"cannot.cause_{design.value}" if causal else "cannot.worked" if verdict is Verdict.HIDDEN else "cannot.failed"
    )
    return " ".join([*said, f"({words('cannot.title')}:) {words(cannot)}"])


def sentence_cases() -> Iterator[CaseView]:
    """Every text of the table, by its key, and every text that the program gives."""
    english = words_of(DEFAULT_LANGUAGE)
    for key in english.sentences:
        kind = next((kind for kind in Kind if f".{kind.value}." in f".{key}."), Kind.RATE)
        said = [(lang, words_of(lang)) for lang in LANGUAGES]
        yield CaseView(key, tuple((lang, words(key, **filling(words, kind))) for lang, words in said))
    for lang in TRANSLATIONS:
        for text, said_there in words_of(lang).given_texts.items():
            yield CaseView("given", ((DEFAULT_LANGUAGE, text), (lang, said_there)))


def cases_page() -> str:
    """The page as HTML, complete in itself."""
    templates, words = environment(), words_of(DEFAULT_LANGUAGE)
    shown = {
        "style": style_of(PACKAGE),
        "languages": LANGUAGES,
        "results": list(result_cases()),
        "texts": list(sentence_cases()),
    }
    return templates.get_template("cases.html").render(say=words, **shown)
