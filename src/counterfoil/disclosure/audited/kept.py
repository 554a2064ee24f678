"""A report as the audit holds it, kept on the analyst's side of the lab, so that a later audit can hold it too."""

from __future__ import annotations

import json

import numpy as np

from counterfoil.disclosure.audited.made import Said
from counterfoil.disclosure.intruder import Publication, read_publication, write_publication
from counterfoil.errors import Fault

VERSION = 1


def write_said(said: Said) -> bytes:
    """The same bytes for the same report. They hold what became of each person: inside the lab, private."""
    publication = Publication(
        name=said.name,
        populations=dict.fromkeys(said.members, ()),
        statements=said.statements,
        outcomes=said.outcomes,
        sums=said.sums,
        lines=said.lines,
        known=said.known,
    )
    held = {
        "version": VERSION,
        "publication": json.loads(write_publication(publication)),
        "keys": list(said.keys),
        "members": {name: inside.astype(int).tolist() for name, inside in said.members.items()},
        "values": {name: values.tolist() for name, values in said.values.items()},
        "lost": {name: [list(atom) for atom in atoms] for name, atoms in said.lost.items()},
        "beyond": [list(one) for one in said.beyond],
        "cohort": list(said.cohort),
        "apart": said.apart.astype(int).tolist(),
        "untold": list(said.untold),
    }
    return json.dumps(held, ensure_ascii=False).encode()


def read_said(data: bytes, name: str) -> Said:
    """What `write_said` wrote, called `name` from here on."""
    try:
        held = json.loads(data)
        if held["version"] != VERSION:
            raise Fault(f"A kept report has another version; this program reads version {VERSION}.")
        publication = read_publication(json.dumps(held["publication"]))
        return Said(
            name=name,
            keys=tuple(held["keys"]),
            members={each: np.array(inside, np.bool_) for each, inside in held["members"].items()},
            values={each: np.array(values, np.int64) for each, values in held["values"].items()},
            statements=publication.statements,
            outcomes=publication.outcomes,
            sums=publication.sums,
            lines=publication.lines,
            known=publication.known,
            lost={each: tuple((str(a), int(n)) for a, n in atoms) for each, atoms in held["lost"].items()},
            beyond=tuple((str(kind), str(what)) for kind, what in held["beyond"]),
            cohort=tuple(held.get("cohort", ())),  # a report of before these were kept has none
            apart=np.array(held.get("apart", ()), np.bool_),
            untold=tuple(held.get("untold", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Fault("What an earlier report said cannot be read. Restore its run's folder from a copy.") from error
