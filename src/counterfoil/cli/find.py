"""`counterfoil find`: find one person among the people of a lab, for a stated reason and on the record."""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, fields
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from counterfoil.cli.screen import progress, say, say_json
from counterfoil.domains import Domain, load
from counterfoil.errors import UsageError
from counterfoil.lab import log
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.lab.progress import Progress
from counterfoil.lab.scratch import keep_scratch_in
from counterfoil.linkage import LinkStatus
from counterfoil.linkage.review.access import check_linker
from counterfoil.linkage.search import Answer, Identifiers, Outcome, PeopleSearch, PersonFound, RecordFound
from counterfoil.study.linker import submitted_person
from counterfoil.study.roles import ProcessRole, guard

DONE, FINDINGS = 0, 1
# No space and a digit: a reference, and not somebody's name, stands in the log.
_CASE = re.compile(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9/._-]{1,39}")
_WHO = re.compile(r"[^\W_][\w .@'-]{0,59}")

_KINDS = {
    "forename1": "forename",
    "forename2": "other forenames",
    "surname": "surname",
    "aliases": "aliases",
    "date_of_birth": "date of birth",
    "sex": "sex",
    "postcode": "postcode",
    "pnc_id": "PNC number",
    "cro": "CRO number",
    "prison_number": "prison number",
    "crn": "case reference number",
}
_COLUMNS = {
    "forename1_std": "",
    "surname_std": "",
    "dob": "born",
    "sex_std": "sex",
    "postcode_std": "postcode",
    "pnc_std": "PNC",
    "cro_std": "CRO",
    "prison_number_std": "prison number",
    "crn_std": "CRN",
}
_STATUS = {
    LinkStatus.LINKED: "would be linked",
    LinkStatus.AMBIGUOUS: "as likely as another",
    LinkStatus.NOT_FOUND: "would not be linked",
}
_EVIDENCE = {
    "model": "by the model",
    "pnc": "by a confirmed PNC number",
    "prison_number": "by a confirmed prison number",
}


class Why(Enum):
    """What a search may be for."""

    REVIEW = "clerical-review"
    REQUEST = "data-subject-request"


def find(
    lab: Annotated[Path, typer.Argument(help="The folder of a lab.", show_default=False)],
    case: Annotated[str, typer.Option(help="Reference of the case; goes to the log, so no name.", show_default=False)],
    reason: Annotated[Why, typer.Option(help="What the search is for; goes to the log.", show_default=False)],
    who: Annotated[str, typer.Option(help="Who searches; goes to the log.", show_default=False)],
    forename: Annotated[str | None, typer.Option(help="First forename.")] = None,
    other_forenames: Annotated[str | None, typer.Option(help="Other forenames.")] = None,
    surname: Annotated[str | None, typer.Option(help="Surname.")] = None,
    aliases: Annotated[str | None, typer.Option(help='Other names: "FORENAME SURNAME; FORENAME SURNAME".')] = None,
    dob: Annotated[str | None, typer.Option(help="Date of birth, as YYYY-MM-DD or DD/MM/YYYY.")] = None,
    sex: Annotated[str | None, typer.Option(help="M or F.")] = None,
    postcode: Annotated[str | None, typer.Option(help="Postcode.")] = None,
    pnc: Annotated[str | None, typer.Option(help="PNC number.")] = None,
    cro: Annotated[str | None, typer.Option(help="CRO number.")] = None,
    prison_number: Annotated[str | None, typer.Option(help="Prison number.")] = None,
    crn: Annotated[str | None, typer.Option(help="Probation's case reference number.")] = None,
    submission: Annotated[str | None, typer.Option(help="With --entry: which submission.")] = None,
    entry: Annotated[
        int | None, typer.Option(min=1, help="Row of a submission's file; what is given beside it replaces its values.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result, names included, as JSON.")] = False,
) -> None:
    """Find one person, for clerical review or a request of the person concerned. Logged before it runs. Linker only."""
    opened = open_lab(lab)
    typed = Identifiers(
        forename1=forename, forename2=other_forenames, surname=surname, aliases=aliases,
        date_of_birth=None if dob is None else _date(dob), sex=sex, postcode=postcode, pnc_id=pnc, cro=cro,
        prison_number=prison_number, crn=crn,
    )  # fmt: skip
    _check_record(case, who)
    _check_asked(reason, typed, submission, entry)
    if not as_json and not is_terminal():
        raise UsageError(
            "A search shows names, and only on a terminal: found that the output goes elsewhere. Run it in a terminal, "
            "or give --json to hand the result to a program that may hold it."
        )
    guard(ProcessRole.LINKER, opened.paths)
    keep_scratch_in(opened.paths.linker)
    with progress() as show:
        search, known = _opened(opened, typed, submission, entry, show)
        facts = {"who": who, "case": case, "reason": reason.value, "given": list(known.given)}
        log.append(opened.paths, "person searched for", facts | {"spine": search.spine.version})
        answer = search.find(known)
    domain = load(opened.settings.domain)
    say_json(_json(answer)) if as_json else _say(answer, domain)
    raise typer.Exit(FINDINGS if answer.outcome is Outcome.TOO_LITTLE else DONE)


def is_terminal() -> bool:
    """Whether somebody sits before what is printed."""
    return sys.stdout.isatty()


def _date(text: str) -> dt.date:
    """UsageError without the value, which typer would repeat."""
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        with suppress(ValueError):
            return dt.datetime.strptime(text.strip(), form).date()
    raise UsageError("`--dob` is no date: expected YYYY-MM-DD or DD/MM/YYYY.")


def _check_record(case: str, who: str) -> None:
    """What goes to the log as it stands."""
    if not _CASE.fullmatch(case):
        raise UsageError(
            "`--case` is no reference: expected 2 to 40 letters, digits and the signs / . _ - with a digit among them "
            "and no space. It goes to the log, so nobody's name may be in it."
        )
    if not _WHO.fullmatch(who):
        raise UsageError("`--who` is no name of an account or a person: expected up to 60 letters on one line.")


def _check_asked(reason: Why, typed: Identifiers, submission: str | None, entry: int | None) -> None:
    if (submission is None) != (entry is None):
        raise UsageError("A submitted row is named by both its submission and its row: give --submission and --entry.")
    if reason is Why.REVIEW and entry is None:
        raise UsageError(
            "Clerical review searches for a submitted row: give --submission and --entry. Identifiers beside them "
            "replace what the row says."
        )
    if reason is Why.REQUEST and entry is not None:
        raise UsageError("A request of the person concerned is not about a submitted row. Give the identifiers alone.")
    if entry is None and not typed.given:
        raise UsageError("Nothing is given to search by. Give names and a date of birth, or a number.")


def _opened(
    lab: OpenLab, typed: Identifiers, submission: str | None, entry: int | None, show: Progress
) -> tuple[PeopleSearch, Identifiers]:
    """The search, and what it is asked: what was typed, over what a submitted row says."""
    check_linker(lab.paths)
    show("Opening the people of the lab", None)
    search = PeopleSearch.open(lab, show)
    if submission is None or entry is None:
        return search, typed
    said = submitted_person(lab, submission, entry, show)
    values = {
        each.name: getattr(said if getattr(typed, each.name) is None else typed, each.name)
        for each in fields(Identifiers)
    }
    return search, Identifiers(**values)


def _json(answer: Answer) -> dict[str, Any]:
    return {
        "outcome": answer.outcome.value,
        "link_status": answer.status.value,
        "unused": list(answer.unused),
        "people": [asdict(person) | {"status": person.status.value} for person in answer.people],
    }


def _say(answer: Answer, domain: Domain) -> None:
    for kind in answer.unused:
        say(f"The {_KINDS[kind]} could not be read and was not used.")
    match answer.outcome:
        case Outcome.TOO_LITTLE:
            say("Too little to go on: no record was looked at. Give forename, surname and date of birth; or both names")
            say("and postcode; or a PNC, CRO, prison or case reference number.")
        case Outcome.NO_ONE:
            say("No one found.")
        case Outcome.FOUND:
            for number, person in enumerate(answer.people, start=1):
                for line in _lines(number, person, domain):
                    say(line)


def _lines(number: int, person: PersonFound, domain: Domain) -> Iterator[str]:
    about = f"weight {person.match_weight:.1f} {_EVIDENCE.get(person.evidence, person.evidence)}"
    yield f"{number}. Person {person.person_id}: {about}; {_STATUS[person.status]}."
    for record in person.records:
        yield f"   {_source(record, domain)} {record.record_id}  {_values(record)}"


def _source(record: RecordFound, domain: Domain) -> str:
    known = domain.sources.get(record.source)
    return known.label if known else record.source


def _values(record: RecordFound) -> str:
    said = [
        f"{label} {value}".strip()
        for column, label in _COLUMNS.items()
        if (value := record.values.get(column)) is not None
    ]
    weight = "not compared" if record.match_weight is None else f"weight {record.match_weight:.1f}"
    return ", ".join([*said, weight])
