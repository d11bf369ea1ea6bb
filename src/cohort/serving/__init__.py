"""Serving: what fits, and how fast and at what price a model answers; and the memory of training."""

from cohort.serving.apart import Worker, serve_apart
from cohort.serving.attainment import ROOFLINE, Attained, attained
from cohort.serving.groups import most_devices, weights_read
from cohort.serving.layouts import Layout
from cohort.serving.memory import Budget, largest_batch, longest_context, memory_budget, offered_context
from cohort.serving.roofline import compute_bound_concurrency, largest_concurrency, serve
from cohort.serving.services import Serving
from cohort.serving.training_peak import TrainingMemory, training_memory

__all__ = [
    "ROOFLINE",
    "Attained",
    "Budget",
    "Layout",
    "Serving",
    "TrainingMemory",
    "Worker",
    "attained",
    "compute_bound_concurrency",
    "largest_batch",
    "largest_concurrency",
    "longest_context",
    "memory_budget",
    "most_devices",
    "offered_context",
    "serve",
    "serve_apart",
    "training_memory",
    "weights_read",
]
