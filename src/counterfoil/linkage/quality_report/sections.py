# ruff: noqa: E501  (what the page says is easier to read in one line)
"""The report's JSON as sections of a page: words, pictures and tables. No figure is worked out here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from counterfoil.linkage.quality_report.charts import ChartData, Kind, Row
from counterfoil.linkage.quality_report.transparency import STANDARD, fields

_LEVELS = ("strict", "medium", "loose")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text; `numeric` says which columns hold numbers."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
    is_folded: bool = False  # long: opens on a click, and in print


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page. Never empty: what is not known is said."""

    name: str
    title: str
    words: tuple[str, ...]
    charts: tuple[ChartData, ...] = ()
    tables: tuple[Table, ...] = ()
    items: tuple[tuple[str, tuple[str, ...]], ...] = ()  # headings with paragraphs


def sections_of(report: Mapping[str, Any]) -> tuple[Section, ...]:
    """Every section, in the order of the page."""
    makers = (
        _findings, _precision, _review, _groups, _bias, _controls, _completeness, _blocking, _weights, _match_weights,
        _model, _sizes, _link_rates, _guards, _changes, _transparency,
    )  # fmt: skip
    return tuple(make(report) for make in makers)


def per_cent(share: float | None, digits: int = 1) -> str:
    """A share (0-1) as a per cent; a dash when it is not known."""
    return "–" if share is None else f"{100 * share:.{digits}f}%"


def _interval(rate: Mapping[str, Any] | None) -> str:
    if rate is None or rate.get("rate") is None:
        return "–"
    if rate.get("low") is None:
        return per_cent(rate["rate"], 2)
    return f"{per_cent(rate['rate'], 2)} ({100 * rate['low']:.2f} to {100 * rate['high']:.2f})"


def _count(number: float | None) -> str:
    return "–" if number is None else f"{number:,.0f}"


def _numbers(*columns: int) -> frozenset[int]:
    return frozenset(columns)


def _findings(report: Mapping[str, Any]) -> Section:
    rows = tuple((each["concern"], each["text"]) for each in report["findings"])
    words = (
        (f"{len(rows)} things crossed a threshold of concern.",)
        if rows
        else ("Nothing crossed a threshold of concern.",)
    )
    return Section(
        "findings", "What to look at", words, tables=(Table("Findings", ("About", "What"), rows),) if rows else ()
    )


def _precision(report: Mapping[str, Any]) -> Section:
    found = report["precision_recall"]
    rows = tuple(
        (r["basis"], r["strictness"], _interval(r["precision"]), _interval(r["recall"])) for r in found["rows"]
    )
    drawn = tuple(
        ChartData(
            f"rates-{name}", f"{name.capitalize()} of the people at each strictness", f"{name.capitalize()}, %", Kind.INTERVALS,
            tuple(_rate_row(r, name) for r in found["rows"] if r[name]["rate"] is not None),
        )
        for name in ("precision", "recall")
    )  # fmt: skip
    words = (
        "Precision: of the pairs of records that are in one cluster, the share that are one person. Recall: of the pairs "
        "that are one person, the share in one cluster. Both with 95% intervals.",
        "“The model of itself”: " + found["note"],
    )
    return Section("precision", "Precision and recall", words, drawn, (
        Table("Precision and recall by what they rest on", ("Basis", "Strictness", "Precision", "Recall"), rows, _numbers(2, 3)),
        Table(
            "Beside the spine's people at medium, in pairs of records",
            ("Other way", "People", "Pairs", "Of the spine's pairs it finds", "Pairs it finds beside"),
            tuple((r["name"], _count(r["people"]), _count(r["pairs"]), per_cent(r["of_spine_found"]), _count(r["found_beside"]))
                  for r in found["compared"]), _numbers(1, 2, 3, 4)),
    ))  # fmt: skip


def _rate_row(row: Mapping[str, Any], name: str) -> Row:
    rate = row[name]
    ends = (None, None) if rate.get("low") is None else (100 * rate["low"], 100 * rate["high"])
    label = "keys" if row["strictness"] == "none" else row["strictness"]
    short = {"The model of itself": "model", "Sampled review": "review", "Truth": "truth"}.get(row["basis"])
    short = short or ("no numbers" if "without" in row["basis"] else "plain keys")
    label = short if label == "keys" else f"{short}, {label}"
    return Row(label, 100 * rate["rate"], *ends)


def _review(report: Mapping[str, Any]) -> Section:
    review = report["precision_recall"]["review"]
    found = review["estimate"]
    strata = tuple((r["stratum"], _count(r["pairs"]), _count(r["sampled"])) for r in review["strata"])
    waiting = sum(r["sampled"] for r in review["strata"])
    looser = (
        f"{per_cent(review['share_of_records'])} of the records were compared by looser rules, to see what was missed."
    )
    if found is None:
        words = (f"Nobody has looked at the sample yet: {waiting:,} pairs wait in counterfoil review.", looser)
        rows: tuple[tuple[str, ...], ...] = ()
    else:
        reviewers = found["reviewers"]
        words = (
            f"{found['labels']:,} of {waiting:,} sampled pairs are settled, {found['unsettled']:,} are not. One reviewer is wrong "
            f"{_interval(reviewers['error'])} of the time ({reviewers['basis']}; {reviewers['disagreed']:,} of "
            f"{reviewers['looked_twice']:,} pairs disagreed on).",
            looser,
        )
        rows = tuple(
            (
                level,
                _interval(found["blocking_recall"]),
                _interval(found[level]["scoring_recall"]),
                _interval(found[level]["recall"]),
            )
            for level in _LEVELS
        )
    beyond = (
        "True pairs that no rule makes, usual or looser, by capture and recapture of numbers",
        _interval(review["beyond"]),
    )
    tables = (
        [
            Table(
                "Recall taken apart: blocking × scoring = recall",
                ("Strictness", "Blocking recall", "Scoring recall", "Recall"),
                rows,
                _numbers(1, 2, 3),
            )
        ]
        if rows
        else []
    )
    return Section("review", "Sampled clerical review", words, tables=(
        *tables,
        Table("Beyond what anybody could be shown", ("What", "Share of true pairs"), (beyond,), _numbers(1)),
        Table("The sample, by where a pair stands and its weight in bits", ("Stratum", "Pairs", "Sampled"), strata, _numbers(1, 2), is_folded=True),
    ))  # fmt: skip


def _groups(report: Mapping[str, Any]) -> Section:
    found = report["groups"]
    if not found["kinds"]:
        words = ("Error rates by group need labels or a known truth, and there are none yet. " + found["note"],)
        return Section("groups", "Error rates by group of people", words)
    charts, tables = [], []
    for kind, values in found["kinds"].items():
        rows = tuple(
            (_word(found, kind, value), _interval(r["precision"]), _interval(r["recall"]), _worse(r))
            for value, r in values.items()
        )
        tables.append(
            Table(f"By {_KIND_WORDS[kind]}", ("Group", "Precision", "Recall", "Beyond chance"), rows, _numbers(1, 2))
        )
        marks = tuple(
            Row(_word(found, kind, v), 100 * r["recall"]["rate"], 100 * r["recall"]["low"], 100 * r["recall"]["high"])
            for v, r in values.items() if r["recall"]["rate"] is not None
        )  # fmt: skip
        charts.append(ChartData(f"recall-{kind}", f"Recall by {_KIND_WORDS[kind]}", "Recall, %", Kind.INTERVALS, marks))
    words = (
        f"At medium, from {found['basis']}. A pair counts in a group when one of its records does. Intervals take account of "
        "one person's pairs being found or missed together. Differences from everybody else are tested at 5% shared out "
        "over the groups of a kind.",
        *((found["note"],) if found["note"] else ()),
    )
    return Section("groups", "Error rates by group of people", words, tuple(charts), tuple(tables))


_KIND_WORDS = {
    "sex": "sex",
    "ethnicity": "ethnicity",
    "age": "age",
    "origin": "origin of the name",
    "source": "source",
}


def _word(found: Mapping[str, Any], kind: str, value: str) -> str:
    """What people call a group; its code where a report of an earlier version has no words."""
    return str(found.get("words", {}).get(kind, {}).get(str(value), value))


def _worse(rates: Mapping[str, Any]) -> str:
    worse = [
        f"{name} {100 * rates[f'{name}_worse_by']['rate']:.1f} points worse"
        for name in ("recall", "precision")
        if rates.get(f"{name}_worse_beyond_chance")
    ]
    return "; ".join(worse) or "no"


def _bias(report: Mapping[str, Any]) -> Section:
    found = report["bias"]
    rows, shown = [], []
    for each in found["hypotheses"]:
        sides = each["made_up"]
        rows.append(
            (
                each["label"],
                each["statement"],
                *(_wrong(sides, side, kind) for kind in ("missed", "false") for side in ("group", "reference")),
                _truth_words(each["truth"]),
            )
        )
        shown += [
            Row(each["label"], 100 * sides[side]["missed"]["share_wrong"], series=word)
            for side, word in (("group", "group"), ("reference", "reference"))
            if sides["group"]["missed"]["pairs"]
        ]
    items = tuple(
        (f"{each['label']}: {each['statement']}", (each["hypothesis"], f"Against it: {each['mitigation']}"))
        for each in found["hypotheses"]
    )
    words = (
        "Each hypothesis is embodied in made-up pairs of records, scored by this spine's model and set beside a reference. "
        f"It counts as found when {per_cent(found['tolerance'], 0)} more of the group's pairs than of the reference's end wrong at medium, or when "
        f"the truth shows a rate worse by over {100 * found['gap']:g} points beyond chance. “Found and mitigated”: plain keys treat the group worse, "
        "the model does not. A hypothesis that is not here was not looked at.",
    )
    chart = ChartData(
        "bias-missed", "Made-up pairs of one person that are missed", "Missed, %", Kind.BARS, tuple(shown)
    )
    columns = (
        "Hypothesis",
        "Statement",
        "Missed, group",
        "Missed, reference",
        "False, group",
        "False, reference",
        "Recall, truth",
    )
    return Section(
        "bias",
        "Bias suite",
        words,
        (chart,),
        (Table("Statement of each hypothesis", columns, tuple(rows), _numbers(2, 3, 4, 5)),),
        items,
    )


def _wrong(sides: Mapping[str, Any], side: str, kind: str) -> str:
    outcome = sides[side][kind]
    return f"{outcome['wrong']} of {outcome['pairs']}" if outcome["pairs"] and sides["group"][kind]["pairs"] else "–"


def _truth_words(rates: Mapping[str, Any] | None) -> str:
    if rates is None:
        return "not known"
    return f"{_interval(rates['recall'])}; {_worse(rates)}" if rates["recall"]["rate"] is not None else "no such pair"


def _controls(report: Mapping[str, Any]) -> Section:
    rows = tuple(
        (r["name"], _count(r["looked_at"]), _count(r["found"]), _interval(r["share"]), r["note"])
        for r in report["controls"]
    )
    again = report["recaptured"]
    words = (
        "What no person can be, counted in the finished people without any label. Each one found is a false link, or a wrong date.",
        f"Capture and recapture: of {again['confirmed']:,} pairs that one number confirms, the model without any number does not link "
        f"{again['lost']:,} again at medium ({_interval(again['share_lost'])}). {_missed_words(again['missed'])}",
    )
    return Section("controls", "Negative controls", words, tables=(
        Table("Pairs at medium that cannot be one person", ("Control", "Pairs looked at", "Found", "Share", "What is counted"), rows, _numbers(1, 2, 3)),
    ))  # fmt: skip


def _missed_words(missed: Mapping[str, Any] | None) -> str:
    if missed is None:
        return "So nothing can be said of links that are missed."
    return (
        f"If pairs with no number in common are lost as often, about {missed['rate']:,} links are missed ({missed['low']:,} to "
        f"{missed['high']:,}). Such pairs are harder to find, and many are joined by way of a third record: take it for the order of magnitude."
    )


def _completeness(report: Mapping[str, Any]) -> Section:
    found = report["completeness"]
    names = sorted({name for shares in found["by_source"].values() for name in shares} - {"records"})
    rows = tuple(
        (name.replace("_std", "").replace("_", " "), *(per_cent(s.get(name)) for s in found["by_source"].values()))
        for name in names
    )
    sources = tuple(found["by_source"])
    marks = tuple(
        Row(name.replace("_std", "").replace("_", " "), 100 * shares[name], series=source)
        for name in names for source, shares in found["by_source"].items() if shares.get(name)
    )  # fmt: skip
    years = tuple(
        (source, year, _count(shares["records"]), *(per_cent(shares.get(name)) for name in _MAIN))
        for source, by in found["by_year"].items() for year, shares in by.items()
    )  # fmt: skip
    drift = tuple(
        (r["source"], r["identifier"], per_cent(r["before"]), per_cent(r["now"]), f"{100 * r['change']:+.1f}")
        for r in found["drift"] if r["change"]
    )  # fmt: skip
    by_year = (
        Table("By source and year of the record's first event", ("Source", "Year", "Records", *_MAIN_WORDS), years, _numbers(2, 3, 4, 5, 6), is_folded=True),
    ) if years else ()  # fmt: skip
    drifts = (
        (
            Table(
                "Against the last spine, where it moved",
                ("Source", "Identifier", "Before", "Now", "Points"),
                drift,
                _numbers(2, 3, 4),
            ),
        )
        if drift
        else ()
    )
    no_years = (
        ()
        if years
        else ("No loaded source holds a date of an event on the linker's side, so there is no year to show.",)
    )
    words = (
        "The share of records in which each identifier is there and valid. A drop silently pushes pairs to looser rules.",
        *no_years,
    )
    charts = tuple(
        ChartData(f"complete-{source}", f"Completeness of {source}", "Records that hold it, %", Kind.BARS, tuple(Row(r.label, r.value) for r in marks if r.series == source))
        for source in sources
    )  # fmt: skip
    return Section("completeness", "Completeness of identifiers", words, charts, (
        Table("Valid, by source", ("Identifier", *sources), rows, _numbers(*range(1, len(sources) + 1))), *by_year, *drifts,
    ))  # fmt: skip


_NO_PAIRS = "no pairs"  # what a session that had none says of why it stopped
_MAIN = ("full_parts_sorted", "dob", "postcode_std", "pnc_std")
_MAIN_WORDS = ("Name", "Birth date", "Postcode", "PNC number")


def _blocking(report: Mapping[str, Any]) -> Section:
    rules = report["blocking"]
    rows = tuple(
        (r["rule"], _count(r["pairs"]), _count(r["largest_block"]), _count(r["links"]), _count(r["links_only_here"]))
        for r in rules
    )
    chart = ChartData(
        "rules", "Links at medium that each blocking rule finds", "Links", Kind.BARS,
        tuple(Row(_short(r["rule"]), float(r["links"])) for r in rules),
    )  # fmt: skip
    words = (
        "A pair is compared when one rule finds it, and scored once. “Only here”: links that no other rule would have found.",
    )
    columns = ("Rule", "Pairs compared", "Largest block", "Links found", "Only here")
    return Section(
        "blocking",
        "Pairs by blocking rule",
        words,
        (chart,),
        (Table("Blocking rules", columns, rows, _numbers(1, 2, 3, 4)),),
    )


def _short(text: str, most: int = 46) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _weights(report: Mapping[str, Any]) -> Section:
    bins = report["weights"]
    rows = tuple(Row(f"{b['from']:g}", float(b["pairs"])) for b in bins)
    thresholds = report["about"]["thresholds"]
    first = bins[0]["from"] if bins else 0.0
    marks = tuple(((limit - first) / 2 - 0.5, level) for level, limit in thresholds.items())
    chart = ChartData(
        "histogram", "Scored pairs by match weight", "Pairs (log scale)", Kind.COLUMNS, rows, marks, is_log=True
    )
    table = Table(
        "Scored pairs by match weight, in bits",
        ("From", "Pairs"),
        tuple((r.label, _count(r.value)) for r in rows),
        _numbers(0, 1),
        is_folded=True,
    )
    words = ("Pairs that weigh 0 bits or more, prior included: as likely as not, and above. Lines: the thresholds.",)
    return Section("weights", "Match weights of pairs", words, (chart,), (table,))


def _match_weights(report: Mapping[str, Any]) -> Section:
    levels = report["model"]["weights"]
    names = list(dict.fromkeys(r["comparison"] for r in levels))
    charts = tuple(
        ChartData(f"levels-{number}", f"Weights of {name}", "Bits; to the right: for one person", Kind.BARS,
                  tuple(Row(_short(r["level"]), r["weight"]) for r in levels if r["comparison"] == name))
        for number, name in enumerate(names)
    )  # fmt: skip
    rows = tuple(
        (
            r["comparison"],
            r["level"],
            f"{r['weight']:+.2f}",
            f"{r['m']:.3g}",
            f"{r['u']:.3g}",
            r["how"],
            r["frequency"] or "–",
        )
        for r in levels
    )
    columns = ("Comparison", "Level", "Bits", "m", "u", "How", "Adjusted by how common")
    words = (
        "What each level of agreement counts, before the frequency of the value. m: share of pairs of one person at the level; u: of two.",
    )
    return Section(
        "match_weights",
        "What each agreement weighs",
        words,
        charts,
        (Table("Every level of the model", columns, rows, _numbers(2, 3, 4), is_folded=True),),
    )


def _why_ended(session: Mapping[str, Any]) -> str:
    if session.get("stopped") == _NO_PAIRS:
        return "no pair to learn from"
    return "settled" if session.get("converged") else "stopped at the limit"


def _model(report: Mapping[str, Any]) -> Section:
    model = report["model"]
    sessions = tuple(
        (
            str(s.get("block", "–")),
            str(s.get("iterations", "–")),
            _why_ended(s),
        )
        for s in model["sessions"]
    )
    bounds = tuple((b["comparison"], b["level"], b["parameter"], f"{b['value']:.3g}") for b in model["bounds"])
    hand = tuple((r["comparison"], r["level"], f"{r['u']:.3g}") for r in model["weights"] if r["how"] == "set by hand")
    words = (
        f"Two records drawn at random are one person with probability {model['prior']:.3g}. Trained without labels. A session "
        "does not train a comparison on a column that it blocks on.",
    )
    return Section("model", "How the model was trained", words, tables=(
        Table("Sessions of expectation maximisation", ("Block", "Iterations", "Why it ended"), sessions, _numbers(1)),
        Table("Never seen in training: the bound that was set", ("Comparison", "Level", "Parameter", "Value"), bounds or (("none", "–", "–", "–"),), _numbers(3)),
        Table("Set by hand; the reason stands in the domain's linkage.toml", ("Comparison", "Level", "u"), hand or (("none", "–", "–"),), _numbers(2)),
    ))  # fmt: skip


def _sizes(report: Mapping[str, Any]) -> Section:
    found = report["cluster_sizes"]
    every = sorted({r["records"] for rows in found.values() for r in rows})
    at = {level: {r["records"]: r["clusters"] for r in rows} for level, rows in found.items()}
    marks = tuple(Row(str(size), float(at[level].get(size, 0)), series=level) for level in _LEVELS for size in every)
    chart = ChartData("sizes", "People by number of records", "People (log scale)", Kind.COLUMNS, marks, is_log=True)
    rows = tuple((str(size), *(_count(at[level].get(size, 0)) for level in _LEVELS)) for size in every)
    people = report["about"]["people"]
    words = ("People at each strictness: " + ", ".join(f"{level} {people[level]:,}" for level in _LEVELS) + ".",)
    return Section(
        "sizes",
        "Records of one person",
        words,
        (chart,),
        (Table("People by number of records", ("Records", *_LEVELS), rows, _numbers(0, 1, 2, 3)),),
    )


def _link_rates(report: Mapping[str, Any]) -> Section:
    found = report["link_rates"]
    names = tuple(sorted({*found, *(other for by in found.values() for other in by)}))
    rows = tuple((source, *(per_cent(found.get(source, {}).get(other)) for other in names)) for source in names)
    words = ("Of each row's records, the share whose person also has a record of the column's source (medium).",)
    none = (
        (Table("Link rates between sources", ("Records of", *names), rows, _numbers(*range(1, len(names) + 1))),)
        if names
        else ()
    )
    return Section(
        "link_rates", "Links between sources", words if names else ("One source, or no link between two.",), tables=none
    )


def _guards(report: Mapping[str, Any]) -> Section:
    found = report["guards"]
    rows = tuple((name, _count(c["left_out"]), _count(c["for_review"])) for name, c in found["guards"].items())
    bridges = found["weak_bridges"]
    words = (
        f"{bridges['links']:,} weak bridges: links under {bridges['below']:g} bits that alone hold two parts of a person together. "
        "One mistaken link there makes one person of two.",
    )
    table = Table(
        "Guards", ("Guard", "Links left out", "Stand, for review"), rows or (("none", "0", "0"),), _numbers(1, 2)
    )
    return Section("guards", "Guards and weak bridges", words, tables=(table,))


def _changes(report: Mapping[str, Any]) -> Section:
    changes = report["changes"]
    if changes is None:
        return Section("changes", "What changed", ("This is the lab's first spine: there is none to compare it with.",))
    records, people, links = changes["records"], changes["people"], changes["links"]
    rows = (
        ("Records", _count(records["before"]), _count(records["now"]), f"{records['new']:,} new, {records['gone']:,} gone"),
        ("People", _count(people["before"]), _count(people["now"]), ", ".join(f"{n:,} {k}" for k, n in changes["keys"].items())),
        ("Links at medium", _count(links["kept"] + links["gone"]), _count(links["kept"] + links["new"]), f"{links['new']:,} new, {links['gone']:,} gone"),
    )  # fmt: skip
    words = (f"Against spine {changes['previous']}. Every old key maps in the crosswalk.",)
    return Section(
        "changes",
        "What changed",
        words,
        tables=(Table("Since the last spine", ("What", "Before", "Now", "Of these"), rows, _numbers(1, 2)),),
    )


def _transparency(report: Mapping[str, Any]) -> Section:
    items: Sequence[tuple[str, list[str]]] = fields(report["transparency"])
    words = (f"The record of the UK {STANDARD}, filled in from this run; transparency.md and transparency.json lie beside this page. "
             "What says “Fill in” is for the lab.",)  # fmt: skip
    return Section("transparency", "Transparency record", words, items=tuple((t, tuple(p)) for t, p in items))
