"""Serving: what fits, and how fast and at what price a model answers."""

from cohort.serving.attainment import ROOFLINE, Attained, attained, with_recent_kernels
from cohort.serving.roofline import Serving, compute_bound_concurrency, largest_concurrency, serve
from cohort.serving.step import most_devices, weights_read

__all__ = [
    "ROOFLINE",
    "Attained",
    "Serving",
    "attained",
    "compute_bound_concurrency",
    "largest_concurrency",
    "most_devices",
    "serve",
    "weights_read",
    "with_recent_kernels",
]
