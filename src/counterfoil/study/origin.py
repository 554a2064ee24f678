"""What a register was made from, kept beside it: the spine, and the hash of every extract."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from counterfoil.errors import Fault
from counterfoil.lab.files import write_json
from counterfoil.lab.paths import LabPaths

_FILE = "made_from.json"


@dataclass(frozen=True, slots=True)
class Origin:
    """The version of the spine whose register keys it uses, and extract table -> SHA-256."""

    spine: str
    extracts: Mapping[str, str]

    def keep(self, register: Path) -> None:
        """Write it into the register's folder."""
        write_json(register / _FILE, asdict(self))


def origin_of(register: Path) -> Origin:
    """What the register in this folder was made from; Fault when that cannot be read."""
    try:
        return Origin(**json.loads((register / _FILE).read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise Fault(
            "What the newest register was made from cannot be read. Remove its folder and run counterfoil register."
        ) from error


def is_outdated(paths: LabPaths) -> bool:
    """Whether the newest register was made of an older spine than the newest: people linked since are not in it."""
    register, keys = paths.latest_register(), paths.latest_register_keys()
    return register is not None and keys is not None and origin_of(register).spine != keys.stem
