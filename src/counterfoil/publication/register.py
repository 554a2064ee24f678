"""The register for machines: every public report as JSON, CSV and DCAT (JSON-LD), from published bytes alone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from counterfoil.lab.paths import REPORT
from counterfoil.publication.published import Published
from counterfoil.publication.words import SiteWords
from counterfoil.publication.yearly import rows_of_years
from counterfoil.report.tables import safe_text
from counterfoil.report.words import LANGUAGES, file_in
from counterfoil.visible import visible

MEDIA = {
    "html": "text/html",
    "json": "application/json",
    "csv": "text/csv",
    "csv-metadata.json": "application/csvm+json",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
COLUMNS = ("run", "title", "provider", "intervention", "sector", "published", "version", "replaces", "replaced_by",
           "corrected_on", "correction", "finding", "reliable", "refused_by_rule", "measure", "unit", "people",
           "difference", "low", "high", "address", "sha256")  # fmt: skip
REPORT_PAGES = {file_in(REPORT, language): language for language in LANGUAGES}  # a report's page in each
VOCABULARIES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def rows_of(published: Sequence[Published]) -> list[dict[str, Any]]:
    """One row a report, in the order of the site. Differences: points for a rate, else the unit; null where hidden."""
    return [_row(each) for each in published]


def _row(each: Published) -> dict[str, Any]:
    result, headline, correction = each.result, each.result.headline, each.correction
    return {
        "run": each.run,
        "title": result.title,
        "provider": result.provider,
        "intervention": each.planned.intervention.value,
        "sector": each.planned.sector.value,
        "published": each.date,
        "version": each.version,
        "replaces": each.replaces or None,
        "replaced_by": correction.replaced_by if correction else None,
        "corrected_on": correction.on if correction else None,
        "correction": correction.reason if correction else None,
        "finding": result.verdict.value,
        "reliable": result.reliable if headline else None,
        "refused_by_rule": result.refused or None,
        "measure": headline.label if headline else None,
        "unit": headline.unit if headline else None,
        "people": headline.people if headline else None,
        "difference": headline.difference if headline else None,
        "low": headline.low if headline else None,
        "high": headline.high if headline else None,
        "address": address_of(each.run),
        "sha256": each.digest,
    }


def address_of(run: str) -> str:
    """Where a report stands in the site, for good."""
    return f"reports/{run}/index.html"


def to_json(published: Sequence[Published]) -> bytes:
    """`register.json`: every report, and each year with the exceptions that its reports rest on (R28)."""
    return _json({"reports": rows_of(published), "years": rows_of_years(published)})


def to_csv(published: Sequence[Published]) -> bytes:
    """`register.csv`: UTF-8, CRLF, text that no spreadsheet runs, numbers bare."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows_of(published):
        writer.writerow([_entry(row[column]) for column in COLUMNS])
    return visible(out.getvalue()).encode("utf-8")


def _entry(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else safe_text(str(value))


def to_dcat(published: Sequence[Published], lab: str, tongues: Sequence[SiteWords], base: str) -> bytes:
    """`catalogue.jsonld`: DCAT 2, its context written out so that nobody has to fetch one."""
    return _json(
        {
            "@context": {"@base": base or "urn:counterfoil:site/", **VOCABULARIES},
            "@id": "index.html",
            "@type": "dcat:Catalog",
            "dct:title": [{"@value": words("all.title", lab=lab), "@language": words.language} for words in tongues],
            "dct:language": [words.language for words in tongues],
            "dct:publisher": lab,
            "dcat:dataset": [_dataset(each, lab, tongues) for each in published],
        }
    )


def _dataset(each: Published, lab: str, tongues: Sequence[SiteWords]) -> Mapping[str, Any]:
    planned, folder = each.planned, address_of(each.run).rpartition("/")[0]
    relation = {"dct:isReplacedBy": {"@id": address_of(each.correction.replaced_by)}} if each.correction else {}
    replaces = {"dct:replaces": {"@id": address_of(each.replaces)}} if each.replaces else {}
    return {
        "@id": address_of(each.run),
        "@type": "dcat:Dataset",
        "dct:identifier": each.run,
        "dct:title": {"@value": each.result.title, "@language": each.result.language},
        "dct:description": [
            {"@value": said.sentence, "@language": said.language}
            for said in (each.result.said, *each.result.translations)
        ],
        "dct:creator": each.result.provider,
        "dct:publisher": lab,
        "dct:issued": {"@value": each.date, "@type": "xsd:date"},
        "dcat:keyword": [
            {"@value": words(key), "@language": words.language}
            for words in tongues
            for key in (f"kind.{planned.intervention.value}", f"sector.{planned.sector.value}")
        ],
        **relation,
        **replaces,
        "dcat:distribution": [
            {
                "@id": f"{folder}/{place_of(each, name)}",
                "@type": "dcat:Distribution",
                "dct:title": name,
                "dcat:downloadURL": {"@id": f"{folder}/{place_of(each, name)}"},
                "dcat:mediaType": media_of(name),
                "spdx:checksum": {
                    "@type": "spdx:Checksum",
                    "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
                    "spdx:checksumValue": digest,
                },
            }
            for name, digest in each.hashes.items()
        ],
    }


def place_of(each: Published, name: str) -> str:
    """Where a file lies in its report's folder; pages of a corrected one have moved beside their notices."""
    return f"as-published/{name}" if each.correction and name in REPORT_PAGES else name


def media_of(name: str) -> str:
    """The media type of a report's file."""
    return next((kind for ending, kind in reversed(MEDIA.items()) if name.endswith(f".{ending}")),
                "application/octet-stream")  # fmt: skip


def _json(value: Mapping[str, Any]) -> bytes:
    return (visible(json.dumps(value, indent=1, ensure_ascii=False, default=_number)) + "\n").encode("utf-8")


def _number(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError
