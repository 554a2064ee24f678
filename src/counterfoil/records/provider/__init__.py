"""Provider files: what an organisation sends the lab, read to rows that are each accounted for; and its template."""

from counterfoil.records.provider.check import CheckResult, check_file
from counterfoil.records.provider.findings import Finding
from counterfoil.records.provider.rules import Code, Level
from counterfoil.records.provider.submission import Submission, count_outcomes, read_submission
from counterfoil.records.provider.template import write_template

__all__ = [
    "CheckResult",
    "Code",
    "Finding",
    "Level",
    "Submission",
    "check_file",
    "count_outcomes",
    "read_submission",
    "write_template",
]
