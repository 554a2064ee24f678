"""Every outside witness in one table: the tests and docs/reference/witnesses.md are both made from it.

A new witness is an entry in the `WITNESSES` of one of the modules below. `python -m lib.witness_registry SHARED` (with
`tests` on the path) writes the page.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path

from lib import comparison_witnesses, effect_witnesses, other_witnesses
from lib.effect_witnesses import Witness, largest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "witnesses.md"
# Sensitivity (bounds for hidden bias, E-values) adds its module here.
PARTS: Mapping[str, Mapping[str, Witness]] = {
    "Comparison": comparison_witnesses.WITNESSES,
    "Effects": effect_witnesses.WITNESSES,
    "Pooling, several tests, published evaluations": other_witnesses.WITNESSES,
}
WITNESSES = {name: witness for part in PARTS.values() for name, witness in part.items()}

# Files under `oracles/` that hold no figure of ours, and why.
NO_FIGURE: Mapping[str, str] = {
    "README.md": "says what ran",
    "make/": "the scripts that made the figures",
    "matchit_lalonde614/versions_matchit.json": "versions",
    "inference/versions_inference.json": "versions",
}
# Sensitivity: to be taken out of this table as its entries come.
AWAITED: Mapping[str, str] = {
    f"inference/{name}": "hidden bias and E-values"
    for name in (
        "evalues.json", "rbounds_binarysens_y_x.csv", "rbounds_hlsens.csv", "rbounds_psens.csv",
        "rosenbaum_mcnemar.csv", "rosenbaum_meta.json", "rosenbaum_pairs.csv", "rosenbaum_signedrank.csv",
        "sensitivitymv_erpcp.json",
    )
}  # fmt: skip
# What other programs gave and we have no method for. Said on the page, so that nobody looks for it.
NOT_OURS: tuple[tuple[str, str], ...] = (
    ("MatchIt: Mahalanobis, optimal, full, variable ratio, `reuse.max`, `antiexact`, calipers on covariates",
     "methods, 4, asks for nearest matching on the score, and for nothing that needs a distance between every two "
     "people; balance and errors come out from MatchIt's weights for these too"),
    ("MatchIt with replacement: errors over one row a use (`est_gm`, `se_gm_*`)", "Abadie and Imbens's are used"),
    ("cobalt: overlap coefficient", "overlap is a picture here"),
    ("R Matching: matching on covariates, effects on everyone; homoskedastic errors", "errors here are robust"),
    ("Stata psmatch2: four neighbours", "its answer depends on a random order: 1.930 to 2.107 over 200 shuffles"),
    ("Stata psmatch2: local linear, normal, biweight and tricube kernels", "Epanechnikov only"),
    ("Stata teffects psmatch and nnmatch (`stata_teffects_matching_cattaneo2.json`)",
     "methods, 5, asks for Abadie and Imbens's errors of the effect on the treated, which R Matching witnesses; what "
     "Stata's manual printed is for effects on everyone, and nobody printed the file's effects on the treated"),
    ("Stata teffects aipw", "ra and ipwra are; weighting then adjusting is the doubly robust way here"),
    ("R glm.nb", "methods, 5, asks for quasi-Poisson with robust errors, which need no law of how counts spread"),
    ("R McNemar, odds ratios", "differences and ratios of rates are shown"),
)  # fmt: skip
UNUSED = frozenset({"inference/stata_teffects_matching_cattaneo2.json"})


def rows_of(part: Mapping[str, Witness], shared: Path) -> list[str]:
    """Table rows: what, witness, how many figures, a power of ten that no difference reaches, what the test allows."""
    rows = []
    for name, witness in part.items():
        figures = witness.make(shared)
        difference = largest(figures)
        bound = min(_bound(difference), witness.tolerance)
        found = "none" if difference == 0.0 and witness.tolerance == 0.0 else f"under {bound:.0e}"
        why = witness.why and f" ({witness.why})"
        allowed = "none" if witness.tolerance == 0.0 else f"{witness.tolerance:.0e}"
        rows.append(f"| {name} | {witness.program} | {len(figures)} | {found} | {allowed}{why} |")
    return rows


def page(shared: Path) -> str:
    """The whole page."""
    lines = [
        "<!-- Generated from tests/lib/witness_registry.py; its test says how to write it again. -->",
        "",
        "# Who else gets the same numbers",
        "",
        "Each row is a group of figures that another program wrote, or that somebody published, beside ours. "
        "[The test](../../tests/reference/test_witnesses.py)",
        "holds each to what is allowed, and [another](../../tests/docs/test_witnesses_page.py) holds this page to what "
        "comes out. Differences are",
        "relative, save for figures under 0.001. What is behind the rows: [estimates](../explanation/estimates.md), "
        "[methods](../explanation/methods.md). How often",
        "intervals hold a planted truth is on [another page](../explanation/validation.md).",
    ]
    for title, part in PARTS.items():
        lines += ["", f"## {title}", ""]
        lines += ["| what | witness | figures | largest difference | allowed |", "|---|---|---|---|---|"]
        lines += rows_of(part, shared)
    lines += ["", "## What others give and we do not", "", "| figures | why |", "|---|---|"]
    lines += [f"| {what} | {why} |" for what, why in NOT_OURS]
    return "\n".join(lines) + "\n"


def _bound(difference: float) -> float:
    """A power of ten with room for the last digits of another machine."""
    return max(1e-10, float(10.0 ** math.ceil(math.log10(max(difference, 1e-300) * 3.0))))


if __name__ == "__main__":
    PAGE.write_text(page(Path(sys.argv[1])), "utf-8")
