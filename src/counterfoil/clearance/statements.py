"""What a person confirms before acting, as data: read one by one, and the hash of what was read goes into the log."""

from __future__ import annotations

from counterfoil.clearance.moves import Move
from counterfoil.provenance import key_of

NO_AUDIT = "No intruder audit was made of it. Rules R13 and R18 were held by hand, against every earlier report."

STATEMENTS: dict[Move, tuple[str, ...]] = {
    Move.SUBMIT: (
        "The plan was fixed before the list was analysed, and the report answers it.",
        "Match quality, attrition and sensitivity were looked at, and the report's warnings say what they mean.",
        "Everybody who worked on this request is named in the team.",
        "Nothing in the provider's own words names or describes a person.",
    ),
    Move.APPROVE: (
        "I have read every page and table of these very files.",
        "I am not its author and did not work on this request.",
        "No count under the threshold can be read or worked out from it, alone or beside what is published already.",
        "Its sentences say no more than its numbers do.",
        "I am content that it becomes public with my approval on record.",
    ),
}


def statements_for(move: Move, *, audited: bool) -> tuple[str, ...]:
    """The statements of a move; where no audit was made, that too."""
    return (*STATEMENTS[move], *(() if audited else (NO_AUDIT,)))


def hash_of(statements: tuple[str, ...]) -> str:
    """What the log holds of them."""
    return key_of(statements=statements)
