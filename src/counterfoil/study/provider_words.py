"""What an organisation says after it has seen the result: `evaluate --words FILE`. No part of the plan, nor of a run.

The plan is fixed before anybody's outcome is seen, so a response cannot be in it. The words change no number and make
no other run: the same run is printed again with them, and what was approved before is void (R29).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from counterfoil.errors import UsageError
from counterfoil.lab.settings import mistakes, read_toml_file
from counterfoil.provenance import key_of
from counterfoil.report.about import ProviderWords

LONGEST = 10_000  # characters of one text
_Text = Annotated[str, Field(max_length=LONGEST)]


class _File(BaseModel):
    """The file, a key a line."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    response: _Text = ""  # to the result
    response_date: dt.date | None = None  # the day on which it was given
    other_evidence: _Text = ""  # that the organisation points to; never scored
    language: Literal["en", "cy"] = "en"  # in which the organisation wrote

    @model_validator(mode="after")
    def _is_dated(self) -> Self:
        if bool(self.response) is not bool(self.response_date):
            raise ValueError("`response` and `response_date` go together: a response is printed with its day.")
        return self


def read_words(path: Path) -> ProviderWords:
    """The words in a TOML file. UsageError with every mistake at once."""
    try:
        said = _File.model_validate(read_toml_file(path))
    except ValidationError as error:
        raise UsageError(*mistakes(error, path.name)) from error
    return ProviderWords(said.response, said.response_date, said.other_evidence, said.language)


def to_json(words: ProviderWords) -> dict[str, Any]:
    """For the child process that prints them."""
    day = None if words.responded is None else words.responded.isoformat()
    return {
        "response": words.response,
        "responded": day,
        "other_evidence": words.other_evidence,
        "language": words.language,
    }


def from_json(said: Mapping[str, Any]) -> ProviderWords:
    """What `to_json` made; nothing was said where it is empty."""
    if not said:
        return ProviderWords()
    day = said["responded"]
    responded = None if day is None else dt.date.fromisoformat(day)
    return ProviderWords(said["response"], responded, said["other_evidence"], said["language"])


def hash_of(words: ProviderWords) -> str:
    """By which a finished run knows whether it was printed with these words; nothing where there are none."""
    return "" if words == ProviderWords() else key_of(**to_json(words))
