"""Who acts on the command line: a short name, that person's key file, and a passphrase that is never an argument."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from counterfoil.clearance import Signer
from counterfoil.cli.screen import say
from counterfoil.errors import UsageError
from counterfoil.lab.files import PRIVATE, atomic_write
from counterfoil.lab.signing import close_key, new_key, open_key

Who = Annotated[str, typer.Option("--as", help="Your short name in lab.toml.", show_default=False)]
KeyFile = Annotated[Path, typer.Option("--key", help="Your own key file.", show_default=False)]
Passphrase = Annotated[
    Path | None, typer.Option("--passphrase-file", help="Read the passphrase from this file instead of asking.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Every statement is confirmed; ask nothing. For scripts.")]


def signer(who: str, key: Path, passphrase_file: Path | None) -> Signer:
    """The person with their open key. UsageError when it cannot be opened."""
    if not key.is_file():
        raise UsageError("There is no key file of that name. Make one with counterfoil clear LAB key FILE.")
    return Signer(who, open_key(key.read_bytes(), _passphrase(passphrase_file, "Passphrase: ")))


def make_key_file(file: Path, passphrase_file: Path | None) -> str:
    """Write a new key file; gives the public key, which lab.toml is to hold."""
    if file.exists():
        raise UsageError(f"{file} is there already. Give another name; a key is never written over.")
    key = new_key()
    passphrase = _passphrase(passphrase_file, "New passphrase: ")
    if passphrase_file is None and _passphrase(None, "The same again: ") != passphrase:
        raise UsageError("The two passphrases differ. Run the command again.")
    atomic_write(file, close_key(key, passphrase), mode=PRIVATE)
    return key.public


def confirm(statements: tuple[str, ...], *, yes: bool) -> None:
    """Ask about each statement: y, or the act does not happen. UsageError where nobody can answer."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("Nobody is there to confirm the statements. Run it in a terminal, or give --yes.")
    for number, statement in enumerate(statements, start=1):
        say(f"{number} of {len(statements)}. {statement}")
        sys.stdout.write("   Confirm with y and Enter; anything else stops: ")
        sys.stdout.flush()
        if sys.stdin.readline().strip().lower() != "y":
            raise UsageError("A statement was not confirmed, so nothing was done.")


def _passphrase(file: Path | None, prompt: str) -> str:
    if file is not None:
        if not file.is_file():
            raise UsageError("There is no passphrase file of that name.")
        return file.read_text("utf-8").rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UsageError("Nobody is there to type the passphrase. Run it in a terminal, or give --passphrase-file.")
    return getpass.getpass(prompt)
