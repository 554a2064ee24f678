"""An encoded table on disk: one .npy file an array, mapped into memory when it is read."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from counterfoil.errors import Fault
from counterfoil.linkage.core.encode import Encoded
from counterfoil.linkage.core.layout import Values

FORMAT = 1  # raise it when the layout changes: an older folder is made anew
ABOUT = "encoded.json"


def save_encoded(encoded: Encoded, folder: Path, *, key: str) -> None:
    """Write into `folder`, which must be there. `key` says what it was made from; `load_encoded` asks for it."""
    arrays = _arrays(encoded)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    about = {"format": FORMAT, "key": key, "shapes": {name: list(array.shape) for name, array in arrays.items()}}
    (folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def load_encoded(folder: Path, *, key: str) -> Encoded | None:
    """The encoded table, mapped; None when there is none of this key and format. Fault when a file is damaged."""
    try:
        about = json.loads((folder / ABOUT).read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise _damaged(folder, ABOUT) from error
    if about.get("format") != FORMAT or about.get("key") != key:
        return None
    arrays = {name: _array(folder, name, shape) for name, shape in about["shapes"].items()}
    if "right_keys" not in arrays:
        arrays["right_keys"] = arrays["left_keys"]
    values = Values(**{name: arrays.pop(name) for name in Values._fields})
    return Encoded(values=values, **arrays)


def _arrays(encoded: Encoded) -> dict[str, Any]:
    found = {field.name: getattr(encoded, field.name) for field in fields(encoded) if field.name != "values"}
    if encoded.right_keys is encoded.left_keys:
        del found["right_keys"]
    return found | encoded.values._asdict()


def _array(folder: Path, name: str, shape: list[int]) -> Any:
    try:
        array = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    except (EOFError, OSError, ValueError) as error:
        raise _damaged(folder, f"{name}.npy") from error
    if list(array.shape) != shape:
        raise _damaged(folder, f"{name}.npy")
    return array


def _damaged(folder: Path, name: str) -> Fault:
    return Fault(
        f"The encoded records in {folder.name} are damaged: {name} is missing, cut short or of another shape. Remove "
        "that folder; the next run makes it anew."
    )
