"""`counterfoil wording VERB`: every sentence of a report in each language, and who signed a translation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from counterfoil.cli.screen import say, say_json
from counterfoil.errors import UsageError
from counterfoil.lab.files import atomic_write
from counterfoil.lab.make import open_lab
from counterfoil.report.cases import cases_page
from counterfoil.report.signed import find_drafts, read_signature, sign
from counterfoil.report.words import TRANSLATIONS

wording = typer.Typer(
    name="wording",
    help="The sentences of reports: every case on one page, and who signed a translation.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Lab = Annotated[Path, typer.Argument(help="The folder of a lab.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
STATEMENT = "I have read every text of this translation beside its English, and it says the same."


@wording.command()
def cases(
    out: Annotated[Path, typer.Option(help="The page to write, HTML.", show_default=False)], as_json: Json = False
) -> None:
    """Write a page of every sentence that a report can say, in each language side by side."""
    if not out.parent.is_dir():
        raise UsageError(f"There is no folder {out.parent}. Give the path of a page in a folder that exists.")
    atomic_write(out, cases_page().encode("utf-8"))
    say_json({"page": str(out)}) if as_json else say(f"Every sentence, in each language: {out}.")


@wording.command("sign")
def sign_translation(
    lab: Lab,
    language: Annotated[str, typer.Option(help="Code of the language: cy for Welsh.", show_default=False)],
    translator: Annotated[str, typer.Option(help="Name of the translator who has read it.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", help=f"Confirm: {STATEMENT}")] = False,
    as_json: Json = False,
) -> None:
    """Sign a translation as it is now, for this lab. A text that changes later is a draft again."""
    if not yes:
        raise UsageError(f"Read the page of `counterfoil wording cases`, then confirm with --yes: {STATEMENT}")
    there = open_lab(lab)
    made = sign(language, there.paths.translation(language), translator=translator, on=there.settings.date())
    if as_json:
        say_json({"language": language, "translator": made.translator, "texts": len(made.texts)})
    else:
        say(f"{made.translator} has signed {len(made.texts):,} texts. Now lab.toml may name it: languages.")


@wording.command()
def status(lab: Lab, as_json: Json = False) -> None:
    """Which translations a lab has signed, and how many texts of each are drafts."""
    there, found = open_lab(lab), []
    for language in TRANSLATIONS:
        file = there.paths.translation(language)
        signed, drafts = read_signature(file), find_drafts(language, file)
        name, on = ("", "") if signed is None else (signed.translator, signed.date.isoformat())
        found.append({"language": language, "translator": name or None, "date": on or None, "drafts": len(drafts),
                      "in_use": language in there.settings.languages})  # fmt: skip
    if as_json:
        say_json({"translations": found})
        return
    for each in found:
        by = f"signed by {each['translator']} on {each['date']}" if each["translator"] else "signed by nobody"
        say(f"{each['language']}: {by}; drafts: {each['drafts']:,}.")
