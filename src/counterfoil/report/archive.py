"""A zip whose bytes hang on its parts alone: fixed order, fixed time, no system of origin."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
ANY_SYSTEM = 0


def to_zip(parts: Mapping[str, bytes], *, stored: tuple[str, ...] = ()) -> bytes:
    """Parts in the order given; those in `stored` are not compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in parts.items():
            about = zipfile.ZipInfo(name, FIRST_DAY)
            about.create_system = ANY_SYSTEM
            about.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(about, data)
    return out.getvalue()
