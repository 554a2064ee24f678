"""How a pair under review looks: a full screen, or plain lines for screen readers and simple terminals.

The only place where names appear. Nothing here is logged; the full screen leaves nothing in the terminal's history.
Differences are marked by a sign and by reverse video, bars by their characters: nothing by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.table import Table
from rich.text import Text

from counterfoil.cli.review_desk import HELP, Desk, View
from counterfoil.linkage.differences import Piece, Standing, bracketed
from counterfoil.linkage.explain import Step, Waterfall
from counterfoil.linkage.review.showing import Line, ReviewItem, Side
from counterfoil.linkage.review.values import Reason

TALL = 40  # lines from which the waterfall stands below the records, and not in their place
_HEAD, _FOOT = 4, 2  # lines
_BAR = 24  # characters of the progress bar
_LEVEL = 54  # characters of the longest label of a level that stays on one line where there is room
_HALF = 8  # characters of the longest bar of a waterfall
_LEAST = 0.05  # bits below which a part of the waterfall is not worth a line
_DIFFERS = "bold reverse"
_WORDS = {
    Standing.SAME: "same",
    Standing.DIFFERENT: "differs",
    Standing.ONE_MISSING: "one missing",
    Standing.BOTH_MISSING: "missing",
}


def frame(desk: Desk, *, height: int) -> RenderableType:
    """The whole screen."""
    layout = Layout()
    layout.split_column(
        Layout(_head(desk), size=_HEAD), Layout(_body(desk, height), name="body"), Layout(_foot(desk), size=_FOOT)
    )
    return layout


def _head(desk: Desk) -> RenderableType:
    done = round(_BAR * desk.done / desk.planned) if desk.planned else _BAR
    title = Table.grid(expand=True)
    title.add_column(justify="left", no_wrap=True, overflow="ellipsis")
    title.add_column(justify="right", no_wrap=True)
    title.add_row(
        Text(f"Clerical review  {desk.review.lab.settings.name}  {desk.reviewer}", style="bold"),
        Text(f"[{'#' * done}{'.' * (_BAR - done)}] {desk.place}"),
    )
    return Group(title, Text(_why(desk)), Text(""))


def _why(desk: Desk) -> str:
    if desk.current is None:
        return ""
    why = f"In the queue because: {desk.current.item.why}."
    return why if _is_blind(desk.current) else f"{why} So far: {desk.current.decision}."


def _is_blind(shown: ReviewItem) -> bool:
    """What the spine decided is not said of pairs drawn for estimates, lest it sway the answer."""
    return shown.item.reason in (Reason.SAMPLE, Reason.DISAGREEMENT)


def _body(desk: Desk, height: int) -> RenderableType:
    if desk.view is View.HELP:
        return _help()
    if desk.current is None:
        return Text("Nothing is left in this queue for you. Press q to stop, u to undo your last answer.")
    if desk.view is View.RECORDS:
        return _records(desk.current)
    fall = _waterfall(desk.current.waterfall, desk.review.thresholds)
    return fall if height < TALL else Group(_records(desk.current), Text(""), fall)


def _foot(desk: Desk) -> RenderableType:
    keys = "y same  n different  ? cannot tell  u undo  w weight  h help  q quit"
    return Group(Text(desk.message, style="italic", no_wrap=True, overflow="ellipsis"), Text(keys, style="bold"))


def _help() -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for key, text in HELP:
        table.add_row(Text(key, style="bold"), text)
    signs = "  ".join(f"{sign.value} {_WORDS[sign]}" for sign in (Standing.SAME, Standing.DIFFERENT))
    said = Text(f"\nSigns: {signs}  {Standing.ONE_MISSING.value} one side has no value. What differs is in reverse.")
    return Group(table, said)


def _records(shown: ReviewItem) -> RenderableType:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=1)
    table.add_column(width=15, no_wrap=True)
    for _ in "lr":
        table.add_column(ratio=1, overflow="fold")
    pair = shown.item.pair
    table.add_row("", "", *(Text(name, style="bold") for name in shown.sources))
    table.add_row("", "record", Text(pair.left.record_id), Text(pair.right.record_id))
    for line in shown.lines:
        sign = Text(line.standing.value, style=_DIFFERS if line.standing is Standing.DIFFERENT else "")
        table.add_row(sign, line.label, *_raw_cells(line))
        if any(side.is_changed and side.standard for side in (line.left, line.right)):
            compared = (_compared(line.left, line.marks.left), _compared(line.right, line.marks.right))
            table.add_row("", Text("  compared as", style="dim"), *compared)
    return table


def _raw_cells(line: Line) -> tuple[Text, Text]:
    """Values as delivered; marked where the compared ones differ too."""
    marked = line.standing is Standing.DIFFERENT
    return (_text(line.raw_marks.left, marked), _text(line.raw_marks.right, marked))


def _compared(side: Side, pieces: tuple[Piece, ...]) -> Text:
    if not side.standard and side.raw:
        return Text("(not taken)", style="dim")
    return _text(pieces, True) if side.is_changed else Text("")


def _text(pieces: tuple[Piece, ...], marked: bool) -> Text:
    text = Text()
    for piece in pieces:
        text.append(piece.text, style=_DIFFERS if marked and piece.differs else "")
    return text


def _waterfall(fall: Waterfall, limits: Mapping[str, float]) -> RenderableType:
    parts = list(_parts(fall))
    most = max((abs(bits) for _, _, bits in parts), default=1.0) or 1.0
    table = Table.grid(padding=(0, 1))
    table.add_column(width=22, no_wrap=True)
    table.add_column(max_width=_LEVEL)
    table.add_column(width=5, justify="right")
    table.add_column(width=6, justify="right")
    table.add_column(width=2 * _HALF + 1, no_wrap=True)
    table.add_row("", "", "bits", "so far", "")
    so_far = 0.0
    for name, level, bits in parts:
        so_far += bits
        table.add_row(name, level, f"{bits:+.1f}", f"{so_far:+.1f}", bar(bits, most))
    total = Text(f"{fall.match_weight:+.1f}", style="bold")
    table.add_row(Text("total", style="bold"), _limits(limits), "", total, "")
    missing = ", ".join(step.comparison for step in fall.steps if step.is_missing)
    return Group(table, Text(f"No value on one side: {missing}." if missing else ""))


def _limits(limits: Mapping[str, float]) -> str:
    return ", ".join(f"{level} {weight:g}" for level, weight in sorted(limits.items(), key=lambda each: -each[1]))


def _parts(fall: Waterfall) -> Iterator[tuple[str, str, float]]:
    """Name, level and bits of each line of the waterfall."""
    yield "to begin with", "any two records", fall.prior
    for step in fall.steps:
        if not step.is_missing:
            yield step.comparison, step.level, step.weight
            if abs(step.frequency) >= _LEAST:
                yield "", _commonness(step), step.frequency


def _commonness(step: Step) -> str:
    return "a rare value" if step.frequency > 0 else "a common value"


def bar(bits: float, most: float, *, half: int = _HALF) -> str:
    """A bar from the middle: plus signs to the right, minus signs to the left; the largest has `half` of them."""
    long = round(half * abs(bits) / most)
    left, right = ("", "+" * long) if bits >= 0 else ("-" * long, "")
    return f"{left:>{half}}|{right:<{half}}"


def plain_pair(desk: Desk) -> list[str]:
    """The pair in lines that read well aloud: what it is, then field by field what is same and what differs."""
    shown = desk.current
    if shown is None:
        return ["Nothing is left in this queue for you."]
    pair = shown.item.pair
    return [
        f"Pair {desk.place}. {_why(desk)}",
        f"Left: {shown.sources[0]}, record {pair.left.record_id}.",
        f"Right: {shown.sources[1]}, record {pair.right.record_id}.",
        *(_plain_line(line) for line in shown.lines),
    ]


def _plain_line(line: Line) -> str:
    word = _WORDS[line.standing]
    if line.standing is Standing.SAME:
        return f"{line.label}, {word}: {_both(line.left)}."
    left, right = (
        (bracketed(line.raw_marks.left), bracketed(line.raw_marks.right))
        if line.standing is Standing.DIFFERENT
        else (line.left.raw, line.right.raw)
    )
    return f"{line.label}, {word}: left {left or 'none'}; right {right or 'none'}."


def _both(side: Side) -> str:
    return f"{side.raw} (compared as {side.standard})" if side.is_changed and side.standard else side.raw


def plain_waterfall(fall: Waterfall) -> list[str]:
    """The waterfall in lines."""
    lines = [f"{name or 'that is'}, {level}: {bits:+.1f}." for name, level, bits in _parts(fall)]
    return [*lines, f"total: {fall.match_weight:+.1f} bits."]


def plain_help() -> list[str]:
    """The keys in lines."""
    return [f"{key}: {text}." for key, text in HELP]
