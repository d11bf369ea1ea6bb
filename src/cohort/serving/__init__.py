"""Serving: what fits, and how fast and at what price a model answers."""

from cohort.serving.roofline import (
    Attained,
    Serving,
    attained,
    compute_bound_concurrency,
    largest_concurrency,
    most_devices,
    serve,
    weights_read,
    with_recent_kernels,
)

__all__ = [
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
