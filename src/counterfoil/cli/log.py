"""`counterfoil log LAB VERB`: the lab's log: whether it holds, its signed head, what it says."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from counterfoil.clearance.record import replay
from counterfoil.cli.screen import say, say_json
from counterfoil.lab.heads import checked_entries, read_head, sign_head
from counterfoil.lab.heads import verify as verify_log
from counterfoil.lab.log import Entry
from counterfoil.lab.make import open_lab
from counterfoil.lab.paths import LabPaths

log = typer.Typer(
    name="log",
    help="The lab's log: verify it, sign its head, read it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Day = Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only lines from this day on (UTC).")]
Until = Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only lines up to this day (UTC).")]


@log.callback()
def _lab(
    context: typer.Context, lab: Annotated[Path, typer.Argument(help="The folder of a lab.", show_default=False)]
) -> None:
    context.obj = lab  # opened by the verb, so that its help needs no lab


def _paths(context: typer.Context) -> LabPaths:
    lab: Path = context.obj
    return open_lab(lab).paths


@log.command()
def verify(
    context: typer.Context,
    anchor: Annotated[
        list[Path] | None, typer.Option(help="A signed head that was kept elsewhere; may be given several times.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check the chain, every signed head, and every move and signature of clearance. Fails when the tail is cut."""
    paths = _paths(context)
    anchors = anchor or []
    there = verify_log(paths, anchors)
    replay(there)
    newest = max((read_head(file).lines for file in anchors), default=None)
    after = None if newest is None else len(there) - newest
    if as_json:
        say_json({"lines": len(there), "head": there[-1].name, "anchored": newest, "after_anchor": after})
        return
    say(f"The log holds: {len(there):,} lines, the last of them {there[-1].name}.")
    if newest is None:
        say("No head that was kept elsewhere was given, so a tail cut together with the heads here would not show.")
    else:
        say(f"The newest head given vouches for the first {newest:,} lines; {after:,} came later.")


@log.command()
def head(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="Also write it here: a place that the lab cannot change.")] = None,
    as_json: Json = False,
) -> None:
    """Verify the log and sign its head. Run it every day and keep the file elsewhere."""
    paths = _paths(context)
    replay(checked_entries(paths))
    signed, file = sign_head(paths, out=out)
    if as_json:
        say_json({"head": signed.head, "lines": signed.lines, "at": signed.at, "file": str(file)})
    else:
        say(f"Signed the head after {signed.lines:,} lines: {file}. Keep a copy where this machine cannot change it.")


@log.command()
def show(
    context: typer.Context,
    event: Annotated[str | None, typer.Option(help="Only lines of this event, for example clearance.")] = None,
    run: Annotated[str | None, typer.Option(help="Only lines about this run.")] = None,
    by: Annotated[str | None, typer.Option(help="Only what this person did, by short name.")] = None,
    since: Day = None,
    until: Until = None,
    last: Annotated[int | None, typer.Option(min=1, help="Only so many lines, the newest.")] = None,
    as_json: Json = False,
) -> None:
    """What the log says, oldest first. It holds hashes and short names of staff, never a name of a cohort member."""
    days = (since.date().isoformat() if since else "", until.date().isoformat() if until else "9999")
    wanted = {"run": run, "by": by}
    found = [
        entry
        for entry in checked_entries(_paths(context))
        if (event is None or entry.event == event)
        and days[0] <= entry.at[:10] <= days[1]
        and all(value is None or entry.facts.get(key) == value for key, value in wanted.items())
    ]
    chosen = found[-last:] if last else found
    if as_json:
        say_json({"lines": [_facts(entry) for entry in chosen]})
        return
    for entry in chosen:
        say(_line(entry))


def _facts(entry: Entry) -> dict[str, Any]:
    return {"line": entry.number, "name": entry.name, "at": entry.at, "event": entry.event, "facts": dict(entry.facts)}


def _line(entry: Entry) -> str:
    facts = entry.facts
    told = [str(facts[key]) for key in ("move", "run", "by", "source") if facts.get(key)]
    return f"{entry.number:>6}  {entry.at}  {entry.event}{': ' + ', '.join(told) if told else ''}"
