"""Records of several sources to people: train, block, score, cluster, keep keys; a cohort to the people.

The only part that knows Splink.
"""

from typing import TYPE_CHECKING

from counterfoil.lazily import read_when_asked

if TYPE_CHECKING:
    from counterfoil.linkage.cohort import LinkStatus, cohort_quality, link_cohort, link_otherwise
    from counterfoil.linkage.engine import Engine
    from counterfoil.linkage.keys import register_key
    from counterfoil.linkage.spine import Spine, SpineResult, build_spine, read_spine

__all__ = [
    "Engine",
    "LinkStatus",
    "Spine",
    "SpineResult",
    "build_spine",
    "cohort_quality",
    "link_cohort",
    "link_otherwise",
    "read_spine",
    "register_key",
]

read_when_asked(__name__)
