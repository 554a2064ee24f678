"""Shares of other departments: each a link product of its own, with a gateway, a model and a pseudonym of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from counterfoil.domains.schema import Domain, SourceSchema, folder, parse_source, read_scripts, read_toml
from counterfoil.errors import Refused, UsageError

GATEWAY_RULE = "gateway"


@dataclass(frozen=True, slots=True)
class Gateway:
    """The legal gateway through which a share comes. From the day after `ends` it is closed."""

    share: str
    label: str
    controller: str
    recipient: str
    legal_basis: str
    purposes: tuple[str, ...]
    starts: dt.date
    ends: dt.date
    reference: str
    special_handling: str = ""

    def check_open(self, on: dt.date) -> None:
        """Refused unless the gateway is open on a day."""
        if on > self.ends:
            raise Refused(
                f"The legal gateway of the share {self.share} ({self.reference}) ended on {self.ends.isoformat()}. "
                f"Ask {self.controller} to renew it; until then the share is neither loaded, linked nor read.",
                rule=GATEWAY_RULE,
            )
        if on < self.starts:
            raise Refused(
                f"The legal gateway of the share {self.share} ({self.reference}) opens on {self.starts.isoformat()}. "
                "Wait until then, or correct the lab's date.",
                rule=GATEWAY_RULE,
            )


@dataclass(frozen=True, slots=True)
class Coverage:
    """Who of the spine could be in a share, in words; `born_from`: nobody born before that day could."""

    who: str
    born_from: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """One share: its tables, its gateway, its linking part (for `linkage`), its covariates (SQL, for `cohort`), and its
    own set of measures (for `outcomes`), where it has one."""

    name: str
    source: SourceSchema
    gateway: Gateway
    linkage: Mapping[str, Any]
    covariates: str
    absent_tables: Mapping[str, str]  # table of the public catalogue -> why it is not delivered
    coverage: Coverage
    measures: tuple[Mapping[str, Any], ...] = ()  # as those of a domain
    outcome_scripts: Mapping[int, tuple[str, str]] = field(default_factory=dict)


@cache
def load_shares(domain: str = "justice") -> Mapping[str, Share]:
    """The shares of a domain, by name."""
    place = folder(domain) / "shares"
    if not place.is_dir():
        return {}
    names = sorted(p.name for p in place.iterdir() if p.is_dir() and not p.name.startswith("_"))
    return {name: _share(domain, name) for name in names}


def load_share(domain: str, name: str) -> Share:
    """The share called `name`; UsageError lists those there are."""
    shares = load_shares(domain)
    if name not in shares:
        raise UsageError(f"There is no share called {name!r}. The shares of this lab are: {', '.join(shares)}.")
    return shares[name]


def delivered_schema(domain: Domain, name: str) -> tuple[SourceSchema, Gateway | None]:
    """The schema of a source, or of a share with its gateway."""
    shares = load_shares(domain.name)
    if name in domain.sources or name not in shares:
        return domain.source(name), None
    return shares[name].source, shares[name].gateway


def _share(domain: str, name: str) -> Share:
    place = folder(domain) / "shares" / name
    source = read_toml(place / "source.toml")
    gateway = read_toml(place / "gateway.toml")
    return Share(
        name=name,
        source=parse_source(source, is_share=True),
        gateway=Gateway(**{**gateway, "purposes": tuple(gateway["purposes"])}),
        linkage=read_toml(place / "linkage.toml"),
        covariates=(place / "covariates.sql").read_text(encoding="utf-8"),
        absent_tables=source.get("absent_tables", {}),
        coverage=Coverage(**source["coverage"]),
        measures=tuple(read_toml(place / "measures.toml")["measures"]) if (place / "measures.toml").is_file() else (),
        outcome_scripts=read_scripts(place, "outcomes"),
    )
