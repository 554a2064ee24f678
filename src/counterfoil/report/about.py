"""What a report says about itself: who, when, with which versions and inputs. No result is in here."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field

from counterfoil.errors import Fault

Pairs = tuple[tuple[str, str], ...]
MACHINE_PATH = re.compile(r"(?:^|[\s'\"(=])(?:/[\w.-]+/|~/|[A-Za-z]:\\|\\\\|file:)")


@dataclass(frozen=True, slots=True)
class ProviderWords:
    """What the organisation says after it has seen the result, in its own words. Shown as text, never scored."""

    response: str = ""
    responded: dt.date | None = None  # the day on which the response was given
    other_evidence: str = ""
    language: str = "en"  # in which the organisation wrote, its description of the service too

    def texts(self) -> tuple[str, ...]:
        """Every text that the report prints from here."""
        day = "" if self.responded is None else self.responded.isoformat()
        return tuple(filter(None, (self.response, day, self.other_evidence)))


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
    asked: Pairs = ()  # setting and value: what must be the same elsewhere for two results to be of one thing
    data_window: str = ""  # "Index events of 2016 to 2019, followed to December 2020"
    lab: str = ""
    words: ProviderWords = field(default_factory=ProviderWords)  # what it says beside the description
    languages: tuple[str, ...] = ("en",)  # of the pages; the first is that of the files without a language's name
    drafts: tuple[str, ...] = ()  # those of them that no translator has signed: their pages say so loudly

    def __post_init__(self) -> None:
        """R24: a path of the machine says where and by whom a report was made. What an organisation says is its own."""
        own = {self.title, self.provider, self.description, *self.words.texts()}
        if any(MACHINE_PATH.search(text) for text in self.texts() if text not in own):
            raise Fault("A fact about the run holds a path of this machine, which a report may not show (R24).")

    @property
    def language(self) -> str:
        """Of every file that is there in one language only."""
        return self.languages[0]

    def given(self) -> tuple[str, ...]:
        """What the program says of the run in English, and a page in its own language."""
        return (self.data_window, *(text for pair in self.method for text in pair))

    def texts(self) -> tuple[str, ...]:
        """Every text that the report prints from here."""
        pairs = (*self.versions, *self.inputs, *self.method, *self.asked)
        single = (self.title, self.provider, self.description, self.run, self.today.isoformat(), self.plan_hash,
                  self.design_hash, self.data_window, self.lab)  # fmt: skip
        return (
            *single,
            *self.words.texts(),
            *(text for pair in pairs for text in pair),
            *(str(seed) for seed in self.seeds),
        )
