"""The terminal of clerical review: keys in, screens out. Full screen where the terminal can, plain lines elsewhere."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from counterfoil.cli import review_screen
from counterfoil.cli.review_desk import Desk, View

_TICK = 0.5  # seconds between looks at the size of the window
_END, _ESCAPE = "\x04", "\x1b"  # Ctrl-D; what arrows and their kind begin with
_RESIZED = "resized"
_SIMPLE = ("", "dumb", "unknown")


def work(desk: Desk, *, plain: bool) -> None:
    """Let one reviewer work until they stop or nothing is left."""
    if plain or not can_draw():
        _work_in_lines(desk)
    else:
        _work_on_screen(desk)


def can_draw() -> bool:
    """Whether there is a terminal that can be drawn on and read key by key."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM", "") in _SIMPLE:
        return False
    try:
        import termios  # noqa: F401 - not everywhere
    except ImportError:
        return False
    return True


def _work_on_screen(desk: Desk) -> None:
    console = Console(highlight=False)
    with console.screen(hide_cursor=True) as screen, _key_by_key():
        screen.update(review_screen.frame(desk, height=console.height))
        for key in _keys(console):
            if key != _RESIZED and not desk.press(key):
                return
            screen.update(review_screen.frame(desk, height=console.height))


def _keys(console: Console) -> Iterator[str]:
    """Keys as they are pressed, and `_RESIZED`. An escape sequence (an arrow, say) is one key that does nothing."""
    size = console.size
    while True:
        if select.select([sys.stdin], [], [], _TICK)[0]:
            typed = os.read(sys.stdin.fileno(), 256).decode(errors="replace")
            if typed in ("", _END):
                return
            yield from [typed] if typed.startswith(_ESCAPE) else typed
        if console.size != size:
            size = console.size
            yield _RESIZED


@contextmanager
def _key_by_key() -> Iterator[None]:
    """Read keys as they are pressed, unseen; the terminal is as it was when the block ends."""
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _work_in_lines(desk: Desk) -> None:
    _say(review_screen.plain_pair(desk))
    while not desk.is_over:
        sys.stdout.write("Answer y, n, ?, u, w, h or q: ")
        sys.stdout.flush()
        typed = sys.stdin.readline()
        if not typed or not desk.press(typed.strip() or "q!"):
            break
        _say([desk.message] if desk.message else [])
        _say(_asked_for(desk))
    _say([""])


def _asked_for(desk: Desk) -> list[str]:
    if desk.view is View.HELP:
        return review_screen.plain_help()
    if desk.view is View.WATERFALL and desk.current is not None:
        return review_screen.plain_waterfall(desk.current.waterfall)
    return review_screen.plain_pair(desk)


def _say(lines: list[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
