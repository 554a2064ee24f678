"""`lab.toml`: commented, checked at start, unknown keys refused, all mistakes shown at once."""

from __future__ import annotations

import datetime as dt
import tomllib
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from counterfoil.errors import UsageError
from counterfoil.lab.files import atomic_write
from counterfoil.lab.paths import LabPaths

_STRICT = ConfigDict(extra="forbid", frozen=True, strict=False)


class Thresholds(BaseModel):
    """Total match weights (log2, prior included) at which two records are one person (METHODS 1)."""

    model_config = _STRICT
    strict: float = 20.0  # for work that a false link would spoil
    medium: float = 14.0  # the people of the spine, and of the register
    loose: float = 8.0  # for finding people, never for counting
    cohort: float = 8.0  # at which the model alone links a provider's entry (docs/decisions/0010)


class Disclosure(BaseModel):
    """The parameters of the disclosure rules that a lab may tighten. None may be loosened below the default."""

    model_config = _STRICT
    min_submitted: Annotated[int, Field(ge=60)] = 60  # people a provider must submit (R1)
    # of those who started, missing from the upload (R1)
    max_missing_share: Annotated[float, Field(ge=0, le=0.30)] = 0.30
    threshold: Annotated[int, Field(ge=10)] = 10  # smallest count that is shown (R2, R3)
    min_group: Annotated[int, Field(ge=30)] = 30  # people in each group of an estimate (R1, R9)
    min_width: Annotated[int, Field(ge=10)] = 10  # least width of what a reader can work out (R6, R11)


class Costs(BaseModel):
    """What one event costs, for the cost line of a report; without any, a report has none."""

    model_config = _STRICT
    # measure of counts = cost of one: reoffending_frequency = 12000; measures of one offence group have their own
    per_event: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    currency: str = "£"  # stands before the amount
    source: str = ""  # where the costs come from, as the report names it
    price_year: str = ""  # whose prices they are in: "2023/24 prices"

    @model_validator(mode="after")
    def _has_source(self) -> Self:
        if self.per_event and not (self.source and self.price_year):
            raise ValueError("costs need `source` and `price_year`, which the report prints beside them.")
        return self


class PersonRole(Enum):
    """What a person of the lab may do about a report that is to leave it."""

    ANALYST = "analyst"
    CHECKER = "checker"
    PUBLISHER = "publisher"
    OWNER = "owner"


class Person(BaseModel):
    """A person of the lab, under a short name that the log uses: [people.amina]."""

    model_config = _STRICT
    name: Annotated[str, Field(min_length=1)]  # as colleagues know them
    roles: tuple[PersonRole, ...]  # empty for somebody who has left
    grade: Annotated[int, Field(ge=1, le=99)]  # a higher number is more senior; an exception needs one (R28)
    # what `counterfoil clear LAB key` printed
    key: Annotated[str, Field(pattern=r"^ed25519:[A-Za-z0-9+/]{43}=$")]
    replaces: str = ""  # the short name that the same person had before, as after a lost key


class Clearance(BaseModel):
    """How strict clearance is."""

    model_config = _STRICT
    audit_required: bool = False  # no report is submitted for clearance without a passed intruder audit (R13)


class Publication(BaseModel):
    """The public site."""

    model_config = _STRICT
    # where the site will stand, as "https://statistics.example/lab/"; links of the feed begin with it
    address: Annotated[str, Field(pattern=r"^(https://\S+/)?$")] = ""
    contact: str = ""  # how readers reach the lab, as every page shows it


class LabSettings(BaseModel):
    """Every setting of a lab, with its default."""

    model_config = _STRICT
    name: str = "Data lab"  # what reports call the lab
    domain: str = "justice"  # which schemas, codes and measures apply
    today: dt.date | None = None  # the day the lab takes as today; fixed, a run gives the same bytes on another day
    # of the reports; English is always the first, and another needs a translator's signature
    languages: tuple[Literal["en", "cy"], ...] = ("en",)
    threads: Annotated[int, Field(ge=1, le=64)] = 2  # processor threads that one stage may use
    # what one database stage may use before it spills to disk
    memory: Annotated[str, Field(pattern=r"^\d+(MB|GB)$")] = "8GB"
    # the truth folder of a synthetic population, relative to the lab; real people have none
    truth: str | None = None
    thresholds: Thresholds = Thresholds()
    disclosure: Disclosure = Disclosure()
    # for a list of codes the weight of each code, as in [weights.offence_group]; a measure that weighs needs them
    weights: dict[str, dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]]] = {}
    costs: Costs = Costs()
    clearance: Clearance = Clearance()
    publication: Publication = Publication()
    # people of the lab, by short name
    people: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")], Person] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _people_are_told_apart(self) -> Self:
        keys = [person.key for person in self.people.values()]
        if len(set(keys)) < len(keys):
            raise ValueError("two people have the same key. A key is one person's: make a new one for the other.")
        for short in self.people:
            before, seen = self.people[short].replaces, {short}
            while before:
                if before in seen or before not in self.people:
                    raise ValueError(
                        f"`people.{short}.replaces` must lead to an earlier entry. Keep that, with no roles."
                    )
                seen.add(before)
                before = self.people[before].replaces
        return self

    @model_validator(mode="after")
    def _english_comes_first(self) -> Self:
        if self.languages[:1] != ("en",) or len(set(self.languages)) < len(self.languages):
            raise ValueError('`languages` begins with "en" and names each language once: ["en", "cy"].')
        return self

    def date(self) -> dt.date:
        """Today, or the day the lab is fixed at."""
        return self.today or dt.date.today()


TEMPLATE = """\
# Settings of this lab. Unknown keys are refused. Lines that begin with # show the default.

name = {name}
domain = "justice"        # which schemas, codes and measures apply

# The day the lab takes as today. Fix it to make a run give the same bytes on another day.
{today_line}

# languages = ["en"]      # of the reports; ["en", "cy"] adds Welsh, once a translator has signed it (wording sign)
# threads = 2             # processor threads that one stage may use
# memory = "8GB"          # memory that one database stage may use before it spills to disk

# Synthetic labs only: the folder `truth` of the population, relative to the lab. Linking is then judged by it.
{truth_line}

[thresholds]              # total match weight (log2, prior included) from which two records are one person
# strict = 20.0
# medium = 14.0           # the people of the spine, and of the register
# loose = 8.0
# cohort = 8.0            # for a provider's entry, which has one right answer; the best two within 3 are never guessed

[costs]                   # what one event costs; a report then says what its difference comes to
# per_event = {{}}          # as {{ reoffending_frequency = 12000 }}
# currency = "£"
# source = ""             # both are printed beside the amounts
# price_year = ""

[clearance]               # may a report leave the lab: two people who did not make it say so (R27)
# audit_required = false  # no report is submitted without a passed intruder audit (R13)

[publication]             # the public site: docs/how-to/publish.md
# address = ""            # where it will stand, as "https://statistics.example/lab/"
# contact = ""            # how readers reach the lab

# Who submits, checks and publishes is declared below in tables such as [people.amina], and in force once an owner has
# signed it: docs/how-to/clear-a-report.md

[disclosure]              # may be made stricter than these, never weaker
# min_submitted = 60      # people a provider must submit (R1)
# max_missing_share = 0.30  # of those who started, missing from the upload (R1)
# threshold = 10          # smallest count that is shown (R2, R3)
# min_group = 30          # people in each group of an estimate (R1, R9)
# min_width = 10          # least width of what a reader can work out (R6, R11)
"""


def render_template(name: str, today: dt.date | None, truth: str | None = None) -> str:
    """The text of a new `lab.toml`."""
    line = f"today = {today.isoformat()}" if today else "# today = 2026-01-31"
    truth_line = f"truth = {_quoted(truth)}" if truth else '# truth = "../population/truth"'
    return TEMPLATE.format(name=_quoted(name), today_line=line, truth_line=truth_line)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_settings(paths: LabPaths, *, name: str, today: dt.date | None, truth: str | None = None) -> None:
    """Write a new `lab.toml`."""
    atomic_write(paths.settings, render_template(name, today, truth).encode())


def read_settings(paths: LabPaths) -> LabSettings:
    """Read and check `lab.toml`. UsageError when the folder is no lab or holds mistakes."""
    if not paths.settings.is_file():
        raise UsageError(
            f"{paths.root} is not a lab: it holds no lab.toml. Make one with `counterfoil new {paths.root}`, "
            "or give the folder of a lab."
        )
    return parse_settings(read_toml_file(paths.settings), str(paths.settings.name))


def read_toml_file(path: Path) -> dict[str, Any]:
    """A TOML file as a dictionary; UsageError when it is absent or not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {path}. Give the path of a file that exists.") from error
    except (IsADirectoryError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path.name} is not a TOML file that can be read: it is a folder, or holds no text in UTF-8. Give "
            "the path of a text file."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path.name} is not a TOML file that can be read: {error}. Mend it and run again.") from error


def parse_settings(raw: dict[str, Any], where: str) -> LabSettings:
    """Check a dictionary of settings; all mistakes at once."""
    try:
        return LabSettings.model_validate(raw)
    except ValidationError as error:
        raise UsageError(*mistakes(error, where)) from error


def mistakes(error: ValidationError, where: str) -> list[str]:
    """Each mistake of a settings or plan file as one sentence: which key, what was found, what was expected."""
    return [_sentence(item, where) for item in error.errors(include_url=False)]


def _sentence(item: Any, where: str) -> str:
    key = ".".join(str(part) for part in item["loc"]) or "the file"
    if item["type"] == "extra_forbidden":
        return f"`{key}` in {where} is not a setting. Remove it, or check its spelling against the documentation."
    if item["type"] == "missing":
        return f"`{key}` is missing from {where}. Add it."
    expected = item["msg"][0].lower() + item["msg"][1:]
    if item["type"] == "value_error":
        return f"`{key}` in {where}: {item['msg'].removeprefix('Value error, ')}"
    return f"`{key}` in {where} is {item['input']!r}; {expected}. Change it."
