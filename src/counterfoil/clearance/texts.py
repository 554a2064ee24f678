"""Reasons that people gave. They may say what only the lab may read, so the log holds their hash alone."""

from __future__ import annotations

import json
from collections.abc import Mapping

from counterfoil.errors import Refused, UsageError
from counterfoil.lab.files import PRIVATE, atomic_write
from counterfoil.lab.paths import LabPaths
from counterfoil.provenance import canonical_json, sha256_of_bytes

LONGEST = 4_000  # characters of one text


def keep_texts(paths: LabPaths, **texts: str) -> str:
    """Keep texts, none of them empty; gives the hash that the log holds."""
    cleaned = {name: text.strip() for name, text in texts.items()}
    empty = sorted(name for name, text in cleaned.items() if not text)
    if empty:
        raise UsageError(f"This needs {' and '.join(empty)}, in words. Give them with --{' and --'.join(empty)}.")
    if any(len(text) > LONGEST for text in cleaned.values()):
        raise UsageError(f"A text is longer than {LONGEST:,} characters. Shorten it.")
    data = canonical_json(cleaned)
    name = sha256_of_bytes(data)
    atomic_write(paths.clearance_texts / f"{name}.json", data, mode=PRIVATE)
    return name


def read_texts(paths: LabPaths, name: str) -> Mapping[str, str]:
    """Texts by their hash. Refused when they are missing or were changed."""
    try:
        data = (paths.clearance_texts / f"{name}.json").read_bytes()
    except FileNotFoundError:
        data = b""
    if sha256_of_bytes(data) != name:
        raise Refused("A reason that the log holds the hash of is missing or was changed. Restore it.", rule="log")
    return dict(json.loads(data))
