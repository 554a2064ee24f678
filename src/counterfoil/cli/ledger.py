"""`counterfoil ledger LAB VERB`: what was ever published, whether that holds, and why a cell is hidden or safe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from counterfoil.clearance.actions import read_record
from counterfoil.clearance.people import check_may_see_counts
from counterfoil.cli.screen import say, say_json
from counterfoil.cli.signing import Passphrase, signer
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.study import ledger as kept
from counterfoil.study import ledger_why

ledger = typer.Typer(
    name="ledger",
    help="Everything that became public: list it, check it, ask why a cell is hidden or safe.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DONE, FINDINGS = 0, 1
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@ledger.callback()
def _lab(
    context: typer.Context, lab: Annotated[Path, typer.Argument(help="The folder of a lab.", show_default=False)]
) -> None:
    context.obj = lab  # opened by the verb, so that its help needs no lab


def _opened(context: typer.Context) -> OpenLab:
    lab: Path = context.obj
    return open_lab(lab)


@ledger.command("list")
def list_entries(context: typer.Context, as_json: Json = False) -> None:
    """Every report that was entered, oldest first, with the hash of its bytes."""
    lab = _opened(context)
    active = kept.active_runs(lab)
    found: list[dict[str, Any]] = [{**one.facts(), "counts": one.run in active} for one in kept.entries(lab)]
    if as_json:
        say_json({"entries": found})
        return
    for one in found:
        say(f"{one['run']}  {one['release'][:12]}{'' if one['counts'] else '  withdrawn before it was published'}")
    if not found:
        say("The ledger is empty: no report of this lab has been cleared yet.")


@ledger.command()
def check(context: typer.Context, as_json: Json = False) -> None:
    """Check the log's chain and every file of the ledger. Ends with 1 where people were merged since, with 3 where it
    does not hold."""
    found = kept.check(_opened(context))
    if as_json:
        say_json({"entries": len(found.entries), "merged": found.merged, "overlaps": found.overlaps})
    else:
        say(f"The ledger holds. Reports in it, each as it was entered: {len(found.entries):,}.")
        for run in found.merged:
            say(f"People behind the report {run} were told apart when it was published and are not now, or the other "
                "way round. Look at its audit again: records were linked anew since.")  # fmt: skip
        for one, other in found.overlaps:
            say(f"The reports {one} and {other} share other people than by the links of their day.")
    raise typer.Exit(FINDINGS if found.merged or found.overlaps else DONE)


@ledger.command()
def why(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="The run, as evaluate named it.", show_default=False)],
    cell: Annotated[
        str, typer.Argument(help="A measure's name, a sub-analysis's, size or curves.", show_default=False)
    ],
    who: Annotated[str, typer.Option("--as", help="Your short name in lab.toml.")] = "",
    key: Annotated[Path | None, typer.Option("--key", help="Your own key file.")] = None,
    passphrase_file: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Say why a cell of a report is hidden or safe, and which attack would find it. It names true counts, so once
    people are in force only an analyst or a checker may ask, with --as and --key."""
    asks = signer(who, key, passphrase_file) if who and key else None
    lab = _opened(context)
    check_may_see_counts(read_record(lab).roster, asks)
    found = ledger_why.why(lab, run, cell)
    if as_json:
        say_json(dict(found))
        return
    for line in _words(found):
        say(line)


def _words(found: Any) -> list[str]:
    if found["stopped"]:
        return [f"The run was stopped, and no result of it is shown. {found['stopped']}"]
    if found["by_the_audit"]:
        return ["Hidden: with it, a reader could work a small count out.", *found["attacks"]]
    if found["hidden"]:
        return [f"Hidden by rule {found['hidden']}, before the intruder audit."]
    small = [f"A reader of everything that is published knows of {one['target']} no more than {one['low']} to "
             f"{one['high']}{'' if one['tight'] else ', or less than that'}." for one in found["targets"]]  # fmt: skip
    return ["Shown: nothing small can be worked out from it, alone or beside what is public.", *small]
