"""Publications as JSON and back, so that a later audit can hold earlier ones. The truth is never written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from counterfoil.disclosure.intruder.statements import (
    AddsUp,
    Between,
    Counts,
    Difference,
    Exact,
    Known,
    Line,
    OneOf,
    Outcome,
    Piece,
    Pieces,
    Publication,
    Rounded,
    Share,
    Statement,
    Weighted,
    Withheld,
)
from counterfoil.errors import Fault

VERSION = 2  # of the form below
READS = (1, VERSION)  # 1 had nothing known, and sums that hold everywhere
KINDS: Mapping[str, type[Statement]] = {
    "exact": Exact,
    "rounded": Rounded,
    "withheld": Withheld,
    "share": Share,
    "between": Between,
    "weighted": Weighted,
    "difference": Difference,
    "one of": OneOf,
}
NAMES = {kind: name for name, kind in KINDS.items()}


def write_publication(publication: Publication) -> str:
    """The same text for the same publication, always."""
    held = {
        "version": VERSION,
        "name": publication.name,
        "populations": {name: list(atoms) for name, atoms in publication.populations.items()},
        "outcomes": [asdict(one) | {"counts": one.counts.value} for one in publication.outcomes],
        "sums": [asdict(one) for one in publication.sums],
        "lines": [asdict(one) for one in publication.lines],
        "known": [asdict(one) for one in publication.known],
        "statements": [{"kind": NAMES[type(one)], **asdict(one)} for one in publication.statements],
    }
    return json.dumps(held, ensure_ascii=False, indent=1) + "\n"


def read_publication(text: str) -> Publication:
    """What `write_publication` wrote. Anything else is refused."""
    try:
        held = json.loads(text)
        if held["version"] not in READS:
            raise Fault(f"A kept publication has another version; this program reads {READS[0]} to {READS[-1]}.")
        return Publication(
            name=held["name"],
            populations={name: tuple(atoms) for name, atoms in held["populations"].items()},
            outcomes=tuple(Outcome(o["name"], Counts(o["counts"]), o["behind"]) for o in held["outcomes"]),
            sums=tuple(_adds_up(one) for one in held["sums"]),
            lines=tuple(Line(line["label"], tuple(line["of"])) for line in held["lines"]),
            known=tuple(Known(**one) for one in held.get("known", ())),
            statements=tuple(_statement(one) for one in held["statements"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Fault("A kept publication cannot be read. Restore the file from a copy.") from error


def _adds_up(held: dict[str, Any]) -> AddsUp:
    return AddsUp(held["whole"], tuple((part, int(n)) for part, n in held["parts"]), tuple(held.get("within", ())))


def _statement(held: dict[str, Any]) -> Statement:
    fields = {name: value for name, value in held.items() if name != "kind"}
    kind = KINDS[held["kind"]]
    if kind is OneOf:
        fields["of"] = tuple(_pieces(each) for each in held["of"])
        fields["points"] = tuple(tuple(point) for point in held["points"])
    elif "of" in held:
        fields["of"] = _pieces(held["of"])
    if kind is Share:
        fields["over"] = _pieces(held["over"])
    return kind(**fields)


def _pieces(held: list[dict[str, Any]]) -> Pieces:
    return tuple(Piece(one["population"], one["outcome"], one["times"]) for one in held)
