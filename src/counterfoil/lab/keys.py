"""Keys of the process roles. Files are encrypted with age (pyrage); person keys are HMACs under a secret of the linker.

Each role's private key lies on its own side of the lab, so that an analyst process that cannot read `linker/` can still
open what is meant for it, and nothing else. Public keys lie under `public/keys`, readable by all.
"""

from __future__ import annotations

import secrets
from enum import Enum
from pathlib import Path

import pyrage
from pyrage import x25519

from counterfoil.errors import Fault
from counterfoil.lab.files import PRIVATE, atomic_write
from counterfoil.lab.paths import LabPaths

SECRET_BYTES = 32


class Role(Enum):
    """Process roles that hold a private key."""

    LINKER = "linker"
    ANALYST = "analyst"


def _private(paths: LabPaths, role: Role) -> Path:
    return (paths.linker if role is Role.LINKER else paths.analyst) / "key.age"


def _public(paths: LabPaths, role: Role) -> Path:
    return paths.public / "keys" / f"{role.value}.pub"


def make_keys(paths: LabPaths) -> None:
    """Make the key pair of each role and the linker's secret for register keys."""
    for role in Role:
        identity = x25519.Identity.generate()
        atomic_write(_private(paths, role), str(identity).encode(), mode=PRIVATE)
        atomic_write(_public(paths, role), str(identity.to_public()).encode())
    atomic_write(paths.linker / "register.secret", secrets.token_bytes(SECRET_BYTES), mode=PRIVATE)


def encrypt(paths: LabPaths, data: bytes, *, to: Role) -> bytes:
    """Encrypt `data` so that only `to` can read it. Needs the public key alone."""
    recipient = x25519.Recipient.from_str(_read(_public(paths, to)).decode())
    return bytes(pyrage.encrypt(data, [recipient]))


def decrypt(paths: LabPaths, data: bytes, *, by: Role) -> bytes:
    """Decrypt what was encrypted to `by`; Fault when it was not, or was changed."""
    identity = x25519.Identity.from_str(_read(_private(paths, by)).decode())
    try:
        return bytes(pyrage.decrypt(data, [identity]))
    except pyrage.DecryptError as error:
        raise Fault(
            f"A file meant for the {by.value} cannot be opened with this lab's {by.value} key. Either it was encrypted "
            "for another lab or it has been changed. Submit it again."
        ) from error


def register_secret(paths: LabPaths) -> bytes:
    """The linker's secret under which a person key becomes a register key."""
    return _read(paths.linker / "register.secret")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise Fault(
            f"The key file {path.name} of this lab is missing. Restore it from the lab's backup; a new key would not "
            "open what the old one closed."
        ) from error
