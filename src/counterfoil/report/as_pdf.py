"""The page as PDF/UA, by WeasyPrint, from the HTML that was checked. Imported only when asked for: it needs Pango.

Nothing is fetched but fonts that lie in this package: not from the network, not from a disk (DISCLOSURE A9).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from importlib import resources
from typing import Any
from xml.etree import ElementTree as ET

import weasyprint
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from counterfoil.errors import Fault

SCHEME = "counterfoil-font:"
STRETCHED = re.compile(r'<svg [^>]*preserveAspectRatio="none".*?</svg>', re.DOTALL)
SIZES = {"bar": (288, 22), "interval": (288, 34), "curve": (640, 220)}  # CSS pixels, as pdf.css shows them
ACROSS = ("x", "x1", "x2", "cx", "width")
DOWN = ("y", "y1", "y2", "cy", "height")
LENGTHS = ("width", "height")
STEP = Decimal("0.001")
PRODUCER = "Counterfoil"


class PackagedFonts(URLFetcher):  # type: ignore[misc]
    """Gives the fonts of this package and refuses everything else."""

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:  # noqa: ARG002
        """A font by its name; any other address stops the rendering."""
        names = {f"{SCHEME}{path.name}": path for path in _fonts()}
        if url not in names:
            raise FatalURLFetchingError("not a font of the package")
        return URLFetcherResponse(url, names[url].read_bytes(), {"Content-Type": "font/woff2"})


def to_pdf(page: str, style: str) -> bytes:
    """The PDF of a page. `style` comes after the page's own. The same page gives the same bytes."""
    markup = STRETCHED.sub(lambda found: _unstretched(found.group()), page).replace("</style>", f"{style}</style>", 1)
    identity = sha256(markup.encode("utf-8")).digest()[:16]
    try:
        document = weasyprint.HTML(string=markup, url_fetcher=PackagedFonts(), base_url=SCHEME)
        written: bytes = document.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=identity, finisher=_without_maker)
    except FatalURLFetchingError:
        raise Fault("The page asked for a file that is not in the package. No PDF was made (A9).") from None
    return written


def _fonts() -> Iterator[Any]:
    folder = resources.files("counterfoil.report").joinpath("fonts")
    return (path for path in folder.iterdir() if path.name.endswith(".woff2"))


def _without_maker(document: Any, pdf: Any) -> None:  # noqa: ARG001
    """R24: WeasyPrint writes its name and version in two places."""
    del pdf.info["Producer"]
    made = re.compile(rb'pdf:Producer="[^"]*"')
    for found in pdf.objects:
        if getattr(found, "extra", {}).get("Type") == "/Metadata":
            found.stream = [made.sub(f'pdf:Producer="{PRODUCER}"'.encode(), part) for part in found.stream]


def _unstretched(svg: str) -> str:
    """A chart in the shape in which it is shown. WeasyPrint stretches strokes along with a chart; browsers do not."""
    root = ET.fromstring(svg)
    left, top, width, height = map(Decimal, root.attrib["viewBox"].split())
    wide, high = SIZES.get(root.attrib["class"], SIZES["interval"])
    across, down = wide / width, high / height
    for shape in root.iter():
        shape.attrib.pop("vector-effect", None)
        for names, start, scale in ((ACROSS, left, across), (DOWN, top, down)):
            for name in set(names) & set(shape.attrib) - ({"viewBox"} if shape is root else set()):
                value = Decimal(shape.attrib[name]) - (0 if name in LENGTHS else start)
                shape.attrib[name] = _text(value * scale)
        if "points" in shape.attrib:
            pairs = (map(Decimal, pair.split(",")) for pair in shape.attrib["points"].split())
            shape.attrib["points"] = " ".join(
                f"{_text((x - left) * across)},{_text((y - top) * down)}" for x, y in pairs
            )
    root.attrib["viewBox"] = f"0 0 {wide} {high}"
    del root.attrib["preserveAspectRatio"]
    return ET.tostring(root, encoding="unicode")


def _text(value: Decimal) -> str:
    return f"{value.quantize(STEP).normalize():f}"
