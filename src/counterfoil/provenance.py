"""Hashes: of bytes, of files and of settings, so that every number can be traced and no finished stage is run again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_CHUNK_BYTES = 1 << 20


def sha256_of_bytes(data: bytes) -> str:
    """Hex SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Hex SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """One spelling of a JSON object: sorted keys, no spaces, so that equal settings have equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode()


def key_of(**parts: Any) -> str:
    """A stage's key: 16 hex characters of the hash of everything that decides its result."""
    return sha256_of_bytes(canonical_json(parts))[:16]
