"""Only who holds the linker's key sees a name."""

from __future__ import annotations

import secrets

from counterfoil.errors import Fault, Refused
from counterfoil.lab.keys import Role, decrypt, encrypt
from counterfoil.lab.paths import LabPaths

_BYTES = 16


def check_linker(paths: LabPaths) -> None:
    """Refused when this process cannot open what is meant for the linker."""
    token = secrets.token_bytes(_BYTES)
    try:
        opened = decrypt(paths, encrypt(paths, token, to=Role.LINKER), by=Role.LINKER)
    except PermissionError as error:
        raise Refused(
            "Clerical review shows names, so only the linker may do it, and this process may not read the linker's "
            "key. Run it as the linker.",
            rule="roles",
        ) from error
    if opened != token:
        raise Fault("The linker's two keys do not belong together. Restore both from the lab's backup.")
