"""The verbs of the command line (DESIGN 4) and their exit codes."""

from __future__ import annotations

import datetime as dt
import importlib
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from counterfoil import __version__
from counterfoil.cli import INTERRUPTED, STOPPED, words
from counterfoil.cli.screen import complain, progress, say, say_json
from counterfoil.errors import CounterfoilError, Fault, UsageError
from counterfoil.lab.make import make_lab, open_lab
from counterfoil.study.child import machine_fault, where_it_broke
from counterfoil.study.roles import ProcessRole, run_role
from counterfoil.study.starting import start_early

DONE, FINDINGS, USAGE, REFUSED, FAULT = 0, 1, 2, 3, 4

app = typer.Typer(
    name="counterfoil",
    help="A data lab in a box: link records, compare people fairly, protect everyone, publish plainly.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Lab = Annotated[Path, typer.Argument(help="The folder of a lab.", show_default=False)]


class Format(Enum):
    """Formats of the upload template."""

    XLSX = "xlsx"
    CSV = "csv"


class Engine(Enum):
    """Linkage engines there are."""

    CORE = "core"
    SPLINK = "splink"


class Language(Enum):
    """Languages of the template."""

    ENGLISH = "en"
    WELSH = "cy"


def _version(value: bool) -> None:
    if value:
        say(f"counterfoil {__version__}")
        raise typer.Exit(DONE)


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    del version


@app.command()
def demo(
    people: Annotated[
        int, typer.Option(min=2_000, max=5_000_000, help="People in the synthetic population.")
    ] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the population.")] = 1,
    out: Annotated[Path, typer.Option(help="Where everything is written; must not exist yet or be empty.")] = Path(
        "counterfoil-demo"
    ),
    as_json: Json = False,
) -> None:
    """Make a synthetic lab, evaluate three programmes in it and end with the reports' paths."""
    from counterfoil.cli.demo import run_demo

    result = run_demo(people=people, seed=seed, out=out, quiet=as_json)
    if as_json:
        say_json(result)


@app.command()
def population(
    out: Annotated[Path, typer.Option(help="Folder to write; must not exist yet or be empty.")],
    people: Annotated[int, typer.Option(min=2_000, max=5_000_000, help="How many people.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed.")] = 1,
    shares: Annotated[bool, typer.Option("--shares", help="Also what other departments hold of them.")] = False,
    as_json: Json = False,
) -> None:
    """Write a synthetic population with known truth: what the sources would hold, and the truth apart."""
    from counterfoil.population import generate

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty. Give a folder that does not exist yet, or an empty one.")
    with progress() as show:
        made = generate(out, people=people, seed=seed, shares=shares, progress=show)
    if as_json:
        say_json(made.to_json())
    else:
        say(f"Wrote a synthetic population of {people:,} people to {out}. Its truth lies in {out / 'truth'}.")


@app.command()
def new(
    lab: Annotated[Path, typer.Argument(help="Folder to make.", show_default=False)],
    name: Annotated[str | None, typer.Option(help="The lab's name; the folder's by default.")] = None,
    today: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Fix the lab's date.")] = None,
    as_json: Json = False,
) -> None:
    """Make an empty lab: settings, folders, one key for each role."""
    made = make_lab(lab, name=name, today=today.date() if today else None)
    if as_json:
        say_json({"lab": str(made.paths.root), "settings": str(made.paths.settings)})
    else:
        say(f"Made the lab {lab}. Its settings, each with a comment, are in {made.paths.settings}.")
        say(f"Next: counterfoil load {lab} SOURCE FILE...")


@app.command()
def load(
    lab: Lab,
    source: Annotated[str, typer.Argument(help="Name of the source, for example pnc.", show_default=False)],
    files: Annotated[list[Path], typer.Argument(help="The delivery's files, one a table.", show_default=False)],
    date: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Date of the delivery; today by default.")
    ] = None,
    add: Annotated[
        bool,
        typer.Option("--add", help="New records only: add them to the extract that is there; replaces it otherwise."),
    ] = False,
    corrections: Annotated[
        bool, typer.Option("--corrections", help="With --add: a row whose key is held replaces it; refused otherwise.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check a delivery against its source's schema, standardise it, split it between the roles, keep the receipt."""
    open_lab(lab)
    if corrections and not add:
        raise UsageError("--corrections is for --add; a whole delivery replaces everything as it is. Leave it out.")
    arguments = {
        "lab": str(lab),
        "source": source,
        "files": [str(file) for file in files],
        "date": date.date().isoformat() if date else None,
        "intake": "whole" if not add else "add_and_correct" if corrections else "add",
    }
    with progress() as show:
        result = run_role(ProcessRole.INTAKE, "load", arguments, show)
    say_json(result) if as_json else words.say_lines(result["lines"])


@app.command()
def link(
    lab: Lab,
    engine: Annotated[
        Engine, typer.Option(help="Linkage engine; what core cannot express goes to splink.")
    ] = Engine.CORE,
    retrain: Annotated[bool, typer.Option("--retrain", help="Make new models; kept ones are used otherwise.")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Score all pairs again, with the kept models.")] = False,
    share: Annotated[
        str | None, typer.Option(help="Link this share of another department to the spine, and nothing else.")
    ] = None,
    as_json: Json = False,
) -> None:
    """De-duplicate and link the loaded sources into one spine of people."""
    open_lab(lab)
    if share is not None:
        with progress() as show:
            asked = {"lab": str(lab), "share": share, "engine": engine.value}
            result = run_role(ProcessRole.LINKER, "link_share", asked, show)
        say_json(result) if as_json else words.say_lines(result["lines"])
        return
    arguments = {"lab": str(lab), "engine": engine.value, "retrain": retrain, "rebuild": rebuild}
    with progress() as show:
        result = run_role(ProcessRole.LINKER, "link", arguments, show)
    say_json(result) if as_json else words.say_lines(result["lines"])


@app.command()
def register(lab: Lab, as_json: Json = False) -> None:
    """Make index events, covariates and outcomes for everyone in the spine."""
    open_lab(lab)
    with progress() as show:
        result = run_role(ProcessRole.ANALYST, "register", {"lab": str(lab)}, show)
    say_json(result) if as_json else words.say_lines(result["lines"])


@app.command()
def template(
    out: Annotated[Path | None, typer.Option(help="File to write; cohort-template.FORMAT by default.")] = None,
    format: Annotated[Format, typer.Option(help="Kind of file.")] = Format.XLSX,
    language: Annotated[Language, typer.Option(help="Language of headings and guidance.")] = Language.ENGLISH,
    as_json: Json = False,
) -> None:
    """Write the upload template that a provider fills in."""
    from counterfoil.records.provider import write_template

    path = out or Path(f"cohort-template.{format.value}")
    if path.suffix.lower() != f".{format.value}":
        raise UsageError(
            f"{path.name} would hold {'a workbook' if format is Format.XLSX else 'text'}. Give a name that ends in "
            f".{format.value}, or the other --format (xlsx, csv)."
        )
    if path.exists():
        raise UsageError(f"{path} is there already. Give another name with --out, so that nothing is written over.")
    write_template(path, format.value, language=language.value)
    say_json({"template": str(path)}) if as_json else say(f"Wrote {path}.")


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The provider's file.", show_default=False)],
    today: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Take this day as today.")] = None,
    as_json: Json = False,
) -> None:
    """Check a provider's file before it is sent: what must be mended, what to look at. Nothing is stored."""
    from counterfoil.records.provider import check_file

    with progress() as show:
        show("Reading the file", None)
        result = check_file(file, today=today.date() if today else dt.date.today())
    say_json(result.to_json()) if as_json else words.say_lines(result.lines())
    raise typer.Exit(FINDINGS if result.has_must_fix else DONE)


@app.command()
def evaluate(
    plan: Annotated[Path, typer.Option(help="The evaluation's plan, a TOML file.", show_default=False)],
    lab: Annotated[Path | None, typer.Argument(help="The folder of a lab.", show_default=False)] = None,
    file: Annotated[Path | None, typer.Argument(help="The provider's file.", show_default=False)] = None,
    table: Annotated[Path | None, typer.Option(help="A table ready for analysis, in place of LAB FILE.")] = None,
    out: Annotated[Path | None, typer.Option(help="With --table: folder for the report.")] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also a copy of the report as PDF (PDF/UA).")] = False,
    words_file: Annotated[
        Path | None,
        typer.Option("--words", help="What the organisation says of the result, a TOML file; printed as its words."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Evaluate a cohort: LAB FILE --plan PLAN, or --table DATA --plan PLAN --out DIR."""
    from counterfoil.report.pdf_ready import why_no_pdf

    missing = why_no_pdf() if pdf else ""
    made = {"pdf": pdf and not missing}
    with progress() as show:
        if table is not None:
            if lab is not None or out is None or words_file is not None:
                raise UsageError("Give either LAB FILE --plan PLAN, or --table DATA --plan PLAN --out DIR.")
            from counterfoil.study.table import evaluate_table  # stands on all that makes a report: seconds

            result = evaluate_table(table, plan, out, **made, progress=show)
        else:
            if lab is None or file is None or out is not None:
                raise UsageError("Give either LAB FILE --plan PLAN, or --table DATA --plan PLAN --out DIR.")
            with start_early(lab) as roles:
                from counterfoil.study.evaluate import evaluate_lab

                result = evaluate_lab(lab, file, plan, **made, words_file=words_file, roles=roles, progress=show)
    say_json(result) if as_json else words.say_lines(words.evaluation(result))
    if missing:
        typer.echo(missing, err=True)
    raise typer.Exit(words.exit_code(result) or (FINDINGS if missing else DONE))


@app.command()
def doctor(lab: Lab, as_json: Json = False) -> None:
    """Look a lab over: settings, keys, what is loaded, linked and registered, the log's chain, free disk."""
    from counterfoil.study.doctor import examine

    findings = examine(lab)
    if as_json:
        say_json({"lab": str(lab), "findings": [f.to_json() for f in findings]})
    else:
        words.say_lines(f.line() for f in findings)
    raise typer.Exit(DONE if all(f.well for f in findings) else FINDINGS)


# Verbs with a file of their own, in the order of `--help`: each is read only when it is asked for, which saves seconds.
ELSEWHERE = {
    "quality": "quality",
    "review": "review",
    "find": "find",
    "pool": "pool",
    "power": "power",
    "requests": "requests",
    "withdraw": "requests",
    "clear": "clear",
    "publish": "publish",
    "log": "log",
    "wording": "wording",
    "ledger": "ledger",
}


def command_line(verb: str | None = None) -> typer.Typer:
    """The command line with every verb, or with what `verb` needs."""
    there = _names()
    for name, module in ELSEWHERE.items():
        if verb in (None, name) and name not in there:
            found = getattr(importlib.import_module(f"counterfoil.cli.{module}"), name)
            app.add_typer(found) if isinstance(found, typer.Typer) else app.command()(found)
    return app


def _names() -> set[str]:
    own = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    return own | {str(group.typer_instance.info.name) for group in app.registered_groups if group.typer_instance}


def _verb(arguments: Sequence[str]) -> str | None:
    """The verb that was typed; None where all must be known: for help, and to say what is near an unknown one."""
    first = arguments[0] if arguments else ""
    return first if first in _names() | ELSEWHERE.keys() | {"--version"} else None


_NO_DAY = re.compile(r"Value error, ('.*') does not match the formats '%Y-%m-%d'")


def asked_wrongly(mistake: TyperException) -> str:
    """What was typed wrongly, and whose help says how it is typed."""
    said = mistake.format_message().rstrip(".")
    said = _NO_DAY.sub(r"found \1, expected a day as YYYY-MM-DD", said).replace("Value error, ", "")
    end = "" if said.endswith("?") else "."
    context = getattr(mistake, "ctx", None)
    verb = "" if context is None else context.command_path.partition(" ")[2].replace("{lab}", "LAB")
    return f"{said}{end} Run `counterfoil {verb} --help`." if verb else f"{said}{end} Run `counterfoil --help`."


def run() -> int:
    """Run the command line; the exit code is the answer (0 done, 1 findings, 2 usage, 3 refused, 4 fault)."""
    try:
        code: int = command_line(_verb(sys.argv[1:]))(standalone_mode=False) or DONE
        if code == INTERRUPTED:  # typer turns Ctrl-C into this code without a word
            complain(CounterfoilError(STOPPED))
        with suppress(BrokenPipeError):  # nobody reads it any more
            sys.stdout.flush()  # a disk that is full is found here, at the latest
        return code
    except CounterfoilError as error:
        complain(error)
        return error.exit_code
    except TyperException as mistake:  # an unknown option, an argument left out
        complain(UsageError(asked_wrongly(mistake)))
        return USAGE
    except (KeyboardInterrupt, typer.Abort):
        complain(CounterfoilError(STOPPED))
        return INTERRUPTED
    except OSError as error:
        complain(machine_fault(error))
        return FAULT
    except Exception as error:
        if os.environ.get("COUNTERFOIL_TRACEBACK"):
            raise
        place = f"{type(error).__name__} at {where_it_broke(error)}"
        complain(Fault(f"Counterfoil stopped at a fault of its own ({place}). Nothing half-done was kept. Report it."))
        return FAULT
