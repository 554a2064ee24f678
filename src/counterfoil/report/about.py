"""What a report says about itself: who, when, with which versions and inputs. No result is in here."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from counterfoil.errors import Fault

Pairs = tuple[tuple[str, str], ...]
MACHINE_PATH = re.compile(r"(?:^|[\s'\"(=])(?:/[\w.-]+/|~/|[A-Za-z]:\\|\\\\|file:)")


@dataclass(frozen=True, slots=True)
class About:
    """Facts of the run. `today` is the lab's setting, so that the same run gives the same bytes (DESIGN 3)."""

    title: str
    provider: str
    description: str  # of the service, in the provider's own words
    run: str
    today: dt.date
    plan_hash: str
    design_hash: str
    versions: Pairs = ()  # name and version: ("counterfoil", "0.1.0")
    seeds: tuple[int, ...] = ()
    inputs: Pairs = ()  # a name for the input and its SHA-256; never a path
    method: Pairs = ()  # label and fact; settings only, never a result
    data_window: str = ""  # "Index events of 2016 to 2019, followed to December 2020"
    lab: str = ""
    language: str = "en"

    def __post_init__(self) -> None:
        """R24: a path of the machine says where and by whom a report was made."""
        if any(MACHINE_PATH.search(text) for text in self.texts()):
            raise Fault("A fact about the run holds a path of this machine, which a report may not show (R24).")

    def texts(self) -> tuple[str, ...]:
        """Every text that the report prints from here."""
        pairs = (*self.versions, *self.inputs, *self.method)
        single = (self.title, self.provider, self.description, self.run, self.today.isoformat(), self.plan_hash,
                  self.design_hash, self.data_window, self.lab)  # fmt: skip
        return (*single, *(text for pair in pairs for text in pair), *(str(seed) for seed in self.seeds))
