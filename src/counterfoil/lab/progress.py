"""Progress as a plain callable, so that no stage knows about screens."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float | None], None]  # (what is being done, share done 0-1 or None when unknown)


def silent(text: str, done: float | None = None) -> None:
    """Progress that shows nothing."""
    del text, done
