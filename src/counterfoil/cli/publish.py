"""`counterfoil publish LAB`: cleared reports become public at their time, and the site is built."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from counterfoil import publication
from counterfoil.clearance import read_record
from counterfoil.clearance.moves import State
from counterfoil.cli.screen import progress, say, say_json
from counterfoil.cli.signing import KeyFile, Passphrase, Who, signer
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.publication import Intervention, Sector
from counterfoil.report.words import LANGUAGES
from counterfoil.study.ledger import check, enter_cleared
from counterfoil.study.pooled_people import may_share

DONE, FINDINGS = 0, 1
NAMED = 5  # texts of a translation that a line names

publish = typer.Typer(
    name="publish",
    help="Publish cleared reports at 9:30 in London on their day; without a verb, build the site of what is public.",
    invoke_without_command=True,
    rich_markup_mode=None,
)

Run = Annotated[str, typer.Argument(help="The run, as evaluate named it.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Out = Annotated[Path | None, typer.Option(help="Folder of the site; LAB/public/site by default.")]


@publish.callback()
def _lab(
    context: typer.Context,
    lab: Annotated[Path, typer.Argument(help="The folder of a lab.", show_default=False)],
) -> None:
    context.obj = lab
    if context.invoked_subcommand is None:
        opened = open_lab(lab)
        _tell_built(opened, _build(opened, None), as_json=False)


@publish.command()
def build(context: typer.Context, out: Out = None, as_json: Json = False) -> None:
    """Build the site of what is public, as no verb does, elsewhere or with the result as JSON."""
    opened = open_lab(context.obj)
    _tell_built(opened, _build(opened, out), as_json=as_json)


@publish.command()
def plan(
    context: typer.Context,
    run: Run,
    on: Annotated[
        dt.datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="The day of publication.", show_default=False)
    ],
    who: Who,
    key: KeyFile,
    intervention: Annotated[
        Intervention | None, typer.Option(help="What kind of intervention it is; findings are grouped by it.")
    ] = None,
    sector: Annotated[Sector | None, typer.Option(help="Who gives the service.")] = None,
    corrects: Annotated[str, typer.Option(help="The published run that this one corrects.")] = "",
    reason: Annotated[
        str, typer.Option(help="Why a day is moved (kept inside), or why a report is corrected (public).")
    ] = "",
    passphrase_file: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Fix the day of a cleared report, four weeks or more ahead; an owner moves a day that is fixed."""
    opened = open_lab(context.obj)
    by = signer(who, key, passphrase_file)
    planned = publication.plan(
        opened, run, signer=by, date=on.date().isoformat(), intervention=intervention, sector=sector,
        corrects=corrects, reason=reason,
    )  # fmt: skip
    found = {"run": run, "date": planned.date, "at": publication.release_time(planned.date).isoformat()}
    say_json(found) if as_json else say(f"Run {run} becomes public on {planned.date} at 9:30 in London.")


@publish.command("pre-release")
def pre_release(
    context: typer.Context,
    run: Run,
    who: Who,
    key: KeyFile,
    name: Annotated[str, typer.Option(help="The person; kept inside the lab.", show_default=False)],
    office: Annotated[str, typer.Option(help="The office that they hold; public with the report.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why they must see it early; kept inside the lab.", show_default=False)],
    passphrase_file: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Let a person see a report in the 24 hours before it is public. Their office becomes public, not their name."""
    opened = open_lab(context.obj)
    by = signer(who, key, passphrase_file)
    seen = publication.grant(opened, run, signer=by, name=name, office=office, reason=reason)
    found = {"run": run, "office": seen.office, "from": seen.starts.isoformat(), "until": seen.ends.isoformat()}
    say_json(found) if as_json else say(f"{seen.office}: from {found['from']} until {found['until']}.")


@publish.command()
def calendar(context: typer.Context, as_json: Json = False) -> None:
    """Every report whose day is fixed, what is due, who sees it early. For inside the lab: it names runs."""
    opened = open_lab(context.obj)
    record = read_record(opened)
    waiting = set(publication.due(record, publication.now_of(opened.settings)))
    found = []
    for case in record.cases.values():
        if case.state is State.SCHEDULED:
            planned = publication.planned_of(case)
            offices = [seen.office for seen in publication.grants_of(opened, record, case.run)]
            found.append({"run": case.run, "date": planned.date, "due": case.run in waiting,
                          "intervention": planned.intervention.value, "sector": planned.sector.value,
                          "corrects": planned.corrects or None, "pre_release": offices})  # fmt: skip
    found.sort(key=lambda each: (str(each["date"]), str(each["run"])))
    say_json({"planned": found}) if as_json else _say_calendar(found)


@publish.command()
def release(
    context: typer.Context,
    who: Who,
    key: KeyFile,
    run: Annotated[str, typer.Option(help="This run alone, which must be due; all that are due by default.")] = "",
    passphrase_file: Passphrase = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Make public what is due, and build the site. A publisher does, at 9:30 or later. A broken ledger is refused."""
    opened = open_lab(context.obj)
    check(opened)  # what cannot be audited beside any more is not added to
    enter_cleared(opened)
    by = signer(who, key, passphrase_file)
    _note_apart(opened, [each for each in _due(opened) if run in ("", each)])
    made = publication.release(opened, signer=by, now=publication.now_of(opened.settings), run=run)
    _tell_built(opened, _build(opened, out), as_json=as_json, made=made)


def _due(lab: OpenLab) -> tuple[str, ...]:
    return publication.due(read_record(lab), publication.now_of(lab.settings))


def _note_apart(lab: OpenLab, runs: Sequence[str]) -> None:
    """Before reports become public: which of those that are public share nobody with them, so that they may be pooled.

    Noted first, since a command that is stopped after a report is public has nothing left to release.
    """
    others = [case.run for case in read_record(lab).cases.values() if case.state is State.PUBLISHED]
    noted = publication.apart_pairs(lab)
    for run in runs:
        new = [other for other in others if frozenset((run, other)) not in noted]
        with progress() as show:
            apart = [other for other in new if not may_share(lab, run, other, show)]
        if apart:
            publication.note_apart(lab, run, apart)
        others.append(run)


def _build(lab: OpenLab, out: Path | None) -> Mapping[str, Any]:
    built = publication.build(lab, now=publication.now_of(lab.settings), out=out)
    drafts = {language: list(keys) for language, keys in built.drafts.items()}
    site = str(built.folder / publication.SITE)
    return {"site": site, "reports": built.reports, "languages": list(built.languages), "drafts": drafts}


def _tell_built(lab: OpenLab, built: Mapping[str, Any], *, as_json: bool, made: tuple[str, ...] | None = None) -> None:
    """`made`: the runs that became public just now; None where the site was built and no more."""
    waiting = _due(lab)
    if as_json:
        say_json({**built, "published": list(made or ()), "due": list(waiting)})
    else:
        if made is not None:
            say("\n".join(f"Public now: run {run}." for run in made) or "Nothing is due: no report became public.")
        say(f"The site: {built['site']}")
        for language, keys in built["drafts"].items():
            say(
                f"Its pages in {LANGUAGES[language]} were not made: {len(keys):,} texts are drafts that no translator "
                f"has signed as they are now ({_some(keys)}). counterfoil wording cases, then wording sign."
            )
        if waiting:
            say("Some reports are due and not public. A publisher makes them so: counterfoil publish LAB release.")
    raise typer.Exit(FINDINGS if waiting or built["drafts"] else DONE)


def _some(keys: list[str]) -> str:
    """The first few texts, by key; --json gives all of them."""
    named = ", ".join(keys[:NAMED])
    return named if len(keys) <= NAMED else f"{named} and {len(keys) - NAMED:,} more"


def _say_calendar(found: list[dict[str, Any]]) -> None:
    for each in found:
        due = "  DUE" if each["due"] else ""
        early = f"; seen early by: {', '.join(each['pre_release'])}" if each["pre_release"] else ""
        say(f"{each['date']}  run {each['run']}{due}{early}")
    if not found:
        say("No day is fixed. counterfoil publish LAB plan fixes one.")
