"""States that a result can be in, by name. They stand on nothing, so that whoever needs one reads no more."""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    """The answer in one word. `fewer` and `more` are the sign of a difference whose interval leaves zero out."""

    FEWER = "fewer"
    MORE = "more"
    NOT_ENOUGH_EVIDENCE = "not_enough_evidence"
    HIDDEN = "hidden"
    REFUSED = "refused"
    NOT_SUITABLE = "not_suitable"


class Gaps(Enum):
    """What the test of start dates said (A1)."""

    NONE = "none"
    FOUND = "found"
    UNKNOWN = "unknown"  # too few dates to test


class WayGroup(Enum):
    """What a way changes: whom the treated are compared with, how, within which reach, or which of them."""

    COMPARISON = "comparison"
    METHOD = "method"
    CALIPER = "caliper"
    SITE = "site"  # one site at a time is left out
    CHECK = "check"  # another outcome, on which there should be no difference


class LinkAnswer(Enum):
    """Whether the headline's answer would be another one with doubt about links."""

    SAME = "same"
    MAY_CHANGE = "may change"
    UNTOLD = "untold"  # not known, or to say it could tell of a few people


class NoGamma(Enum):
    """Why there is no Gamma."""

    CHANCE = "chance"  # chance alone explains what the pairs show
    NO_PAIRS = "no pairs"  # nobody was paired one to one, or hardly any pair speaks
