"""The parameters of the disclosure rules in a lab: the defaults, or what the lab has made stricter."""

from __future__ import annotations

from dataclasses import replace

from counterfoil.disclosure import DEFAULT_SETTINGS, DisclosureSettings
from counterfoil.lab.make import OpenLab


def disclosure_settings(lab: OpenLab) -> DisclosureSettings:
    """The rules' parameters, as strict as the lab has made them."""
    chosen = lab.settings.disclosure
    return replace(
        DEFAULT_SETTINGS,
        min_submitted=chosen.min_submitted,
        max_missing_share=chosen.max_missing_share,
        threshold=chosen.threshold,
        min_group=chosen.min_group,
        min_width=chosen.min_width,
    )
