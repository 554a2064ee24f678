"""Who is who in clearance: the people of `lab.toml`, in force once an owner has signed them into the log.

Whoever can edit `lab.toml` can write any name and key into it. So what counts is the list in the log: the first is
signed by an owner in it, each later one by an owner of the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from counterfoil.errors import Refused
from counterfoil.lab.log import FIRST
from counterfoil.lab.make import OpenLab
from counterfoil.lab.settings import LabSettings, PersonRole
from counterfoil.lab.signing import SigningKey, is_signed
from counterfoil.provenance import canonical_json

PEOPLE = "people"  # what the log calls it
SEE_COUNTS = frozenset({PersonRole.ANALYST, PersonRole.CHECKER})  # who makes results, and who decides about them


@dataclass(frozen=True, slots=True)
class Member:
    """A person as the log knows them: no display name."""

    roles: frozenset[PersonRole]
    grade: int
    key: str
    replaces: str


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who acts: their short name and their open key."""

    person: str
    key: SigningKey


@dataclass(frozen=True, slots=True)
class Roster:
    """The people in force. `entry` is the line of the log that says so, or `FIRST` before there is one."""

    members: Mapping[str, Member] = field(default_factory=dict)
    entry: str = FIRST

    def member(self, person: str) -> Member:
        """The person of this short name. Refused when nobody in force has it."""
        if person not in self.members:
            raise Refused(
                f"Nobody in force is called {person}. Declare the person in lab.toml and have an owner sign it: "
                "counterfoil clear LAB people.",
                rule="people",
            )
        return self.members[person]

    def human(self, person: str) -> str:
        """The first short name that the same person had, so that a new key makes nobody a second person."""
        while person in self.members and self.members[person].replaces:
            person = self.members[person].replaces
        return person


def check_may_see_counts(roster: Roster, signer: Signer | None) -> None:
    """Refused unless whoever asks works with true counts: an analyst or a checker, by their own key.

    A lab that has put nobody in force has no roles yet, and clears nothing.
    """
    if not roster.members:
        return
    if signer is None:
        raise Refused("This names true counts, so the lab must know who asks: give --as and --key.", rule="people")
    member = roster.member(signer.person)
    if signer.key.public != member.key:
        raise Refused(f"This is not the key of {signer.person} that is in force. Use your own key file.", rule="people")
    if not member.roles & SEE_COUNTS:
        raise Refused("This names true counts: only an analyst or a checker of the lab may see it.", rule="people")


def declared(settings: LabSettings) -> dict[str, Any]:
    """The people of `lab.toml` as the log writes them."""
    return {
        short: {
            "roles": sorted(role.value for role in person.roles),
            "grade": person.grade,
            "key": person.key,
            "replaces": person.replaces,
        }
        for short, person in sorted(settings.people.items())
    }


def next_roster(before: Roster, facts: Mapping[str, Any], entry: str, lab: str) -> Roster:
    """The people in force after one more list. Nobody is ever dropped, and a list keeps each person's `replaces`."""
    members = {short: _member(said) for short, said in facts["people"].items()}
    made = Roster(members, entry)
    signed_by = (before if before.members else made).member(facts["by"])
    if PersonRole.OWNER not in signed_by.roles:
        raise Refused("People are put in force by an owner, and the one who signs is none.", rule="people")
    if set(before.members) - set(members):
        raise Refused("Somebody in force is missing from lab.toml. Keep the entry, with no roles.", rule="people")
    for short, member in before.members.items():
        if members[short].replaces != member.replaces or members[short].key != member.key:
            raise Refused(
                f"The key of {short}, or whom {short} replaces, was changed. Keep the entry, with no roles, and "
                "declare the new key under a new short name with `replaces`.",
                rule="people",
            )
    check_signed(facts, signed_by.key, follows=before.entry, lab=lab)
    return made


def check_signed(facts: Mapping[str, Any], key: str, *, follows: str, lab: str) -> None:
    """Refused unless `facts` were signed with `key`, for this lab, right after the entry `follows`."""
    message = canonical_json({name: value for name, value in facts.items() if name != "signature"})
    if facts.get("lab") != lab or facts.get("follows") != follows:
        raise Refused("A signature in the log was made for another place than where it stands.", rule="log")
    if not is_signed(key, str(facts.get("signature", "")), message):
        raise Refused(
            f"This is not signed with the key of {facts.get('by', 'anybody')} that is in force. Use that person's own "
            "key file; the lab never signs for somebody.",
            rule="people",
        )


def _member(said: Mapping[str, Any]) -> Member:
    roles = frozenset(PersonRole(role) for role in said["roles"])
    return Member(roles, int(said["grade"]), str(said["key"]), str(said["replaces"]))


def check_declared(lab: OpenLab, roster: Roster) -> None:
    """Refused when the people of `lab.toml` are not those in force: one of the two was changed by the way."""
    in_force = {
        short: {"roles": sorted(r.value for r in m.roles), "grade": m.grade, "key": m.key, "replaces": m.replaces}
        for short, m in sorted(roster.members.items())
    }
    if declared(lab.settings) != in_force:
        raise Refused(
            "The people of lab.toml are not those in force. An owner looks at the difference and signs it: counterfoil "
            "clear LAB people --as OWNER --key FILE.",
            rule="people",
        )
