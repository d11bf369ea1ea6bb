"""What the chapter `serving_roofline` says in words: sentences about its tables, in Markdown."""

from cohort.chapters.serving_roofline.words.checks import (
    errors,
    far_services,
    generations,
    misses,
    sensitivity,
    today,
)
from cohort.chapters.serving_roofline.words.drawn import best_at_speed, kernels_elsewhere, kernels_reach
from cohort.chapters.serving_roofline.words.peers import beside_peer
from cohort.chapters.serving_roofline.words.remembered import takeaways
from cohort.chapters.serving_roofline.words.services import (
    brief,
    calibration,
    cheapest,
    intensities,
    largest_parts,
    peaks_used,
    quoted_sum,
    token_time,
    trade,
    turning_point,
    variants,
)

__all__ = [
    "beside_peer",
    "best_at_speed",
    "brief",
    "calibration",
    "cheapest",
    "errors",
    "far_services",
    "generations",
    "intensities",
    "kernels_elsewhere",
    "kernels_reach",
    "largest_parts",
    "misses",
    "peaks_used",
    "quoted_sum",
    "sensitivity",
    "takeaways",
    "today",
    "token_time",
    "trade",
    "turning_point",
    "variants",
]
