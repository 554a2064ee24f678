"""Where the result of the intruder audit (R13) is required: `audit.json` in the run's folder, whoever writes it.

    {"release": the hash of what was audited, "passed": true or false,
     "findings": [{"rule": "R13", "cell": "table 2 row 3", "never": false}]}

`never` is true for a count of 1 or 2, which no exception can excuse (R28). What does not say false is never excused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from counterfoil.clearance.release import Release
from counterfoil.errors import Refused
from counterfoil.lab.paths import LabPaths
from counterfoil.provenance import sha256_of_bytes

AUDIT = "audit.json"


@dataclass(frozen=True, slots=True)
class Finding:
    """One cell that does not hold, and the rule that it breaks."""

    rule: str
    cell: str
    never: bool


@dataclass(frozen=True, slots=True)
class AuditResult:
    """An audit of these bytes. `sha256` is of its file."""

    sha256: str
    passed: bool
    findings: tuple[Finding, ...]


def read_audit(paths: LabPaths, release: Release, *, required: bool) -> AuditResult | None:
    """The audit of this release; None where there is none and none is required. Refused when it is of other bytes."""
    file = paths.run(release.run) / AUDIT
    if not file.is_file():
        if required:
            raise Refused("No intruder audit of this report is there, and this lab requires one.", rule="R13")
        return None
    data = file.read_bytes()
    try:
        said = json.loads(data)
        of, passed = said["release"], said["passed"] is True
        findings = tuple(
            Finding(str(each["rule"]), str(each["cell"]), each["never"] is not False) for each in said["findings"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Refused("The intruder audit of this report cannot be read. Run it again.", rule="R13") from error
    if of != release.digest:
        raise Refused("The intruder audit is of other bytes than the report has now. Run it again.", rule="R13")
    if passed is bool(findings):
        raise Refused(
            "The intruder audit contradicts itself, or failed without saying where. Run it again.", rule="R13"
        )
    return AuditResult(sha256_of_bytes(data), passed, findings)


def find_exceptable(audit: AuditResult | None, rule: str, cell: str) -> Finding:
    """The finding that an exception is asked for. Refused when there is none, or it can never be excepted."""
    found = [f for f in (audit.findings if audit else ()) if (f.rule, f.cell) == (rule, cell)]
    if not found:
        raise Refused(
            "An exception is for something that the audit of these bytes found, and it found no such cell.", rule="R28"
        )
    if any(finding.never for finding in found):
        raise Refused("This can never be excepted: counts of 1 and 2 are never published (R28).", rule="R28")
    return found[0]
