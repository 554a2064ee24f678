"""Pages from templates: what is filled in is escaped and visible, and nothing but the page's own style is let in."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from counterfoil.visible import finalise

STYLE = "style.css"
_HEAD = Markup(
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src {allowed}; '
    "base-uri 'none'; form-action 'none'\">\n<style>{style}</style>"
)


@cache
def templates_of(package: str) -> Environment:
    """The templates of a package, made once. A gap that nothing fills is an error."""
    return Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalise,
    )


@cache
def style_of(package: str, *, has_drawings: bool = False) -> Markup:
    """For a page's head: its style, and the policy by which a browser takes that style and fetches and runs nothing.

    `has_drawings`: pictures of another program are in the page, whose marks have styles of their own; these hold too.
    """
    style = templates_of(package).get_template(STYLE).render()
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    allowed = Markup("'unsafe-inline'" if has_drawings else f"'sha256-{digest}'")
    return _HEAD.format(allowed=allowed, style=Markup(style))
