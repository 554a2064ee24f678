"""The Atom feed (RFC 4287): one entry a report that is public, corrections named."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from counterfoil.publication.clock import release_time
from counterfoil.publication.published import Published
from counterfoil.publication.register import address_of
from counterfoil.publication.words import SiteWords
from counterfoil.visible import visible

FEED = "feed.xml"
MOST = 50  # entries
_ATOM = "http://www.w3.org/2005/Atom"
BEGINNING = "2000-01-01"  # of a feed without an entry, which must have a time all the same
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"


def to_atom(published: Sequence[Published], lab: str, lab_id: str, words: SiteWords, base: str) -> bytes:
    """The newest reports. Its times are those of the calendar, so that the same reports give the same bytes."""
    ET.register_namespace("", _ATOM)
    feed = ET.Element(f"{{{_ATOM}}}feed", {_XML_LANG: words.language})
    if base:
        feed.set(_XML_BASE, base)
    times = [_updated(each) for each in published]
    _add(feed, "id", identity(lab_id, "feed"))
    _add(feed, "title", words("all.title", lab=lab))
    _add(feed, "updated", max(times, default=release_time(BEGINNING).isoformat()))
    _add(_sub(feed, "author"), "name", lab)
    if base:
        _sub(feed, "link", rel="self", href=f"{base}{FEED}", type="application/atom+xml")
    _sub(feed, "link", rel="alternate", href=f"{base}index.html", type="text/html")
    for each in published[:MOST]:
        _entry(feed, each, lab_id, words, base)
    ET.indent(feed, " ")
    text: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _entry(feed: ET.Element, each: Published, lab_id: str, words: SiteWords, base: str) -> None:
    entry = _sub(feed, "entry")
    entry.set(_XML_LANG, each.result.language)
    kind = "feed.corrected" if each.correction else "feed.correction" if each.replaces else "feed.report"
    _add(entry, "id", identity(lab_id, each.run))
    _add(entry, "title", words(kind, title=each.result.title))
    _add(entry, "published", release_time(each.date).isoformat())
    _add(entry, "updated", _updated(each))
    _add(_sub(entry, "author"), "name", each.result.provider)
    _sub(entry, "link", rel="alternate", href=f"{base}{address_of(each.run)}", type="text/html")
    said = each.result.said_in(words.language)
    summary = _sub(entry, "summary")
    summary.text = visible(each.correction.reason if each.correction else said.sentence)
    if not each.correction and said.language != each.result.language:
        summary.set(_XML_LANG, said.language)


def _updated(each: Published) -> str:
    return release_time(each.correction.on if each.correction else each.date).isoformat()


def identity(lab_id: str, what: str) -> str:
    """An identifier for good, whatever the address of the site becomes."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"counterfoil:{lab_id}:{what}").urn


def _sub(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, f"{{{_ATOM}}}{tag}", attributes)


def _add(parent: ET.Element, tag: str, text: str) -> None:
    _sub(parent, tag).text = visible(text)
