"""Who signed a translation: a named translator, a date and the hash of every text, with the English that it is of.

A text that is changed afterwards, or whose English is, has another hash and so is a draft again. A lab cannot switch
on a language that has a draft in it: each text of it can be part of what a reader takes a result to be.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from counterfoil.errors import Refused, UsageError
from counterfoil.lab.files import atomic_write
from counterfoil.provenance import key_of
from counterfoil.report.words import DEFAULT_LANGUAGE, LANGUAGES, TRANSLATIONS, words_of

RULE = "language"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a translator signed. `texts`: key of each text and its hash."""

    translator: str
    date: dt.date
    texts: Mapping[str, str]


def texts_of(language: str) -> dict[str, str]:
    """The hash of every text of a translation, with the English that it stands for."""
    words, english = words_of(language), words_of(DEFAULT_LANGUAGE)
    found = {key: key_of(english=english.sentences[key], text=text) for key, text in words.sentences.items()}
    return found | {f"given: {text}": key_of(english=text, text=said) for text, said in words.given_texts.items()}


def find_drafts(language: str, file: Path) -> tuple[str, ...]:
    """Keys of the texts that nobody signed as they are now. Everything, where there is no such file."""
    signed = read_signature(file)
    return tuple(key for key, digest in texts_of(language).items() if signed is None or signed.texts.get(key) != digest)


def check_signed(language: str, file: Path) -> None:
    """Refused (rule `language`) while any text of a translation is a draft. English is what it is translated from."""
    drafts = () if language == DEFAULT_LANGUAGE else find_drafts(language, file)
    if drafts:
        raise Refused(
            f"lab.toml asks for reports in {LANGUAGES[language]}, and {len(drafts):,} of its texts are drafts that no "
            "translator has signed as they are now. Have them read and signed (counterfoil wording sign), or take the "
            f"language out of `languages`. {LANGUAGES[DEFAULT_LANGUAGE]} is always there.",
            rule=RULE,
        )


def sign(language: str, file: Path, *, translator: str, on: dt.date) -> Signature:
    """Write that `translator` has read every text of a translation, as it is now."""
    if language not in TRANSLATIONS:
        raise UsageError(f"There is no translation into {language}. There is: {', '.join(TRANSLATIONS)}.")
    if not translator.strip():
        raise UsageError("A translation is signed by somebody with a name. Give it with --translator.")
    made = Signature(translator.strip(), on, texts_of(language))
    facts = {"language": language, "translator": made.translator, "date": on.isoformat(), "texts": dict(made.texts)}
    atomic_write(file, (json.dumps(facts, indent=1, ensure_ascii=False) + "\n").encode("utf-8"))
    return made


def read_signature(file: Path) -> Signature | None:
    """The signature in a file; None where there is none. UsageError when it cannot be read."""
    if not file.is_file():
        return None
    try:
        said = json.loads(file.read_bytes())
        texts = {str(key): str(digest) for key, digest in said["texts"].items()}
        return Signature(str(said["translator"]), dt.date.fromisoformat(said["date"]), texts)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{file.name}, which says who signed the translation, cannot be read. Restore it, or have it signed again."
        ) from error
