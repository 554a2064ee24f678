"""`counterfoil clear LAB VERB`: a report on its way out of the lab (R27, R28, R29)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from counterfoil.clearance import actions
from counterfoil.clearance.moves import Move, State
from counterfoil.clearance.release import read_release, runs_of
from counterfoil.clearance.statements import statements_for
from counterfoil.cli import clear_words as words
from counterfoil.cli.screen import say, say_json
from counterfoil.cli.signing import KeyFile, Passphrase, Who, Yes, confirm, make_key_file, signer
from counterfoil.errors import UsageError
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.study import ledger

clear = typer.Typer(
    name="clear",
    help="Clear a report: two people who did not make it approve its very bytes. `counterfoil clear LAB list` first.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Run = Annotated[str, typer.Argument(help="The run, as evaluate named it.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Reason = Annotated[str, typer.Option(help="Why, in words; kept inside the lab.", show_default=False)]


@clear.callback()
def _lab(
    context: typer.Context, lab: Annotated[Path, typer.Argument(help="The folder of a lab.", show_default=False)]
) -> None:
    context.obj = lab


def _open(context: typer.Context) -> OpenLab:
    return open_lab(context.obj)


def _check_beside(lab: OpenLab, run: str) -> None:
    """Refused (R18) where the report was audited before another one came into the ledger."""
    if ledger.has_numbers(lab, run):
        ledger.check_current(lab, run)


def _tell(lab: OpenLab, run: str, *, as_json: bool, to: str = "") -> None:
    """`to`: who asks; nobody else sees a first answer before the second is given."""
    found = words.facts_of(lab, actions.read_record(lab).case(run), to=to)
    say_json(found) if as_json else words.say_case(found)


@clear.command("list")
def list_reports(
    context: typer.Context,
    state: Annotated[State | None, typer.Option(help="Only reports in this state.")] = None,
    as_json: Json = False,
) -> None:
    """Every report of the lab and where it stands."""
    lab = _open(context)
    record = actions.read_record(lab)
    runs = sorted({*runs_of(lab.paths), *record.cases})
    found = [words.facts_of(lab, record.case(run)) for run in runs]
    chosen = [each for each in found if state is None or each["state"] == state.value]
    say_json({"reports": chosen}) if as_json else words.say_list(chosen)


@clear.command()
def show(context: typer.Context, run: Run, as_json: Json = False) -> None:
    """One report: its state, the hash of its bytes, who did what, its exceptions, what can be done now."""
    lab = _open(context)
    read_release(lab.paths, run)
    _tell(lab, run, as_json=as_json)


@clear.command()
def key(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to write, outside the lab.", show_default=False)],
    passphrase_file: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Make your own signing key, closed with a passphrase; prints the line that lab.toml needs."""
    lab = _open(context)
    if file.resolve().is_relative_to(lab.paths.root.resolve()):
        raise UsageError("A person's key lies outside the lab. Give a file in a place that only you can read.")
    public = make_key_file(file, passphrase_file)
    say_json({"key": public}) if as_json else say(f'key = "{public}"')


@clear.command()
def people(
    context: typer.Context, who: Who, key: KeyFile, passphrase_file: Passphrase = None, as_json: Json = False
) -> None:
    """Put the people that lab.toml declares in force. An owner signs."""
    lab = _open(context)
    actions.put_in_force(lab, signer=signer(who, key, passphrase_file))
    found = {short: person.model_dump(mode="json") for short, person in lab.settings.people.items()}
    say_json({"people": found}) if as_json else words.say_people(found)


@clear.command()
def submit(
    context: typer.Context,
    run: Run,
    who: Who,
    key: KeyFile,
    team: Annotated[str, typer.Option(help="Short names of all others who worked on it, with commas.")] = "",
    passphrase_file: Passphrase = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Submit a report for clearance. Its author does, and confirms a few statements."""
    lab = _open(context)
    _check_beside(lab, run)
    others = [name.strip() for name in team.split(",") if name.strip()]
    confirm(statements_for(Move.SUBMIT, audited=actions.is_audited(lab, run)), yes=yes)
    actions.submit(lab, run, signer=signer(who, key, passphrase_file), team=others)
    _tell(lab, run, as_json=as_json)


@clear.command()
def view(
    context: typer.Context,
    run: Run,
    who: Who,
    key: KeyFile,
    passphrase_file: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Open a report that is being cleared, before deciding about it. A checker does; that it was opened is logged."""
    lab = _open(context)
    actions.note_view(lab, run, signer=signer(who, key, passphrase_file))
    if not as_json:
        words.say_report(lab, run)
    _tell(lab, run, as_json=as_json, to=who)


@clear.command()
def approve(
    context: typer.Context,
    run: Run,
    who: Who,
    key: KeyFile,
    release: Annotated[
        str, typer.Option(help="Hash of the bytes you read, from `show`: 12 characters or more.", show_default=False)
    ],
    passphrase_file: Passphrase = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Approve a report's very bytes. Two checkers do, neither its author nor of the team for the request."""
    lab = _open(context)
    by = signer(who, key, passphrase_file)
    _check_beside(lab, run)
    if ledger.has_numbers(lab, run):
        words.say_in_flight(ledger.find_in_flight(lab, run))
    audited = actions.note_view(lab, run, signer=by).audited
    if not yes:
        words.say_report(lab, run)
    confirm(statements_for(Move.APPROVE, audited=audited), yes=yes)
    if actions.approve(lab, run, signer=by, release=release).state is State.CLEARED and ledger.has_numbers(lab, run):
        ledger.enter(lab, run)
    _tell(lab, run, as_json=as_json, to=who)


@clear.command("send-back")
def send_back(
    context: typer.Context,
    run: Run,
    who: Who,
    key: KeyFile,
    reason: Reason,
    passphrase_file: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Send a report back to its author; every approval is reset."""
    lab = _open(context)
    actions.send_back(lab, run, signer=signer(who, key, passphrase_file), reason=reason)
    _tell(lab, run, as_json=as_json)


@clear.command()
def withdraw(
    context: typer.Context,
    run: Run,
    who: Who,
    key: KeyFile,
    reason: Reason,
    passphrase_file: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Withdraw a report for good. That it was there stays in the log."""
    lab = _open(context)
    actions.withdraw(lab, run, signer=signer(who, key, passphrase_file), reason=reason)
    _tell(lab, run, as_json=as_json)


@clear.command("except")
def except_(
    context: typer.Context,
    run: Run,
    who: Who,
    key: KeyFile,
    rule: Annotated[str, typer.Option(help="The rule that the audit found broken.", show_default=False)],
    cell: Annotated[str, typer.Option(help="The cell, as the audit names it.", show_default=False)],
    reason: Reason,
    risk: Annotated[str, typer.Option(help="What could happen, to whom, and how likely.", show_default=False)],
    until: Annotated[
        dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day on which it holds.", show_default=False)
    ],
    passphrase_file: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Ask for an exception from a rule, for these bytes alone. Counts of 1 and 2 never get one."""
    lab, day = _open(context), until.date().isoformat()
    by = signer(who, key, passphrase_file)
    actions.ask_exception(lab, run, signer=by, rule=rule, cell=cell, reason=reason, risk=risk, until=day)
    _tell(lab, run, as_json=as_json)


@clear.command()
def allow(
    context: typer.Context,
    run: Run,
    exception: Annotated[str, typer.Argument(help="The exception, as `show` names it.", show_default=False)],
    who: Who,
    key: KeyFile,
    passphrase_file: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Allow an exception: somebody of a higher grade who did not work on the request."""
    lab = _open(context)
    actions.allow_exception(lab, run, exception, signer=signer(who, key, passphrase_file))
    _tell(lab, run, as_json=as_json)


@clear.command()
def exceptions(
    context: typer.Context,
    year: Annotated[int | None, typer.Option(help="Only those asked for in this year.")] = None,
    as_json: Json = False,
) -> None:
    """Every exception ever asked for, with its reason and risk: the annual transparency table. Inside the lab."""
    lab = _open(context)
    found = [each for each in words.all_exceptions(lab) if year is None or each["asked_on"].startswith(f"{year}-")]
    say_json({"exceptions": found}) if as_json else words.say_exceptions(found)
