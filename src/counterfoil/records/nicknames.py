"""Forenames that one person may go by, as an equivalence for a comparison level; never a replacement of a name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from counterfoil.domains.schema import folder, read_toml
from counterfoil.errors import Fault


@cache
def nickname_classes(domain: str = "justice") -> Mapping[str, str]:
    """Standardised forename -> the class it belongs to, named by its first member. Absent: a class of its own."""
    classes: dict[str, str] = {}
    for members in read_toml(folder(domain) / "nicknames.toml")["classes"]:
        for name in members:
            if classes.setdefault(name, members[0]) != members[0]:
                raise Fault(
                    f"{name} is in two classes of nicknames.toml, {classes[name]} and {members[0]}. Leave it in one."
                )
    return MappingProxyType(classes)
