"""Scaling laws of dense models and of mixtures, and the allocations that follow from them."""

from cohort.errors import InfeasibleError
from cohort.scaling.allocations import (
    FLOP_PER_TOKEN,
    SERVING_FLOP_PER_TOKEN,
    Allocation,
    Lifetime,
    Overtraining,
    Price,
)
from cohort.scaling.dense_laws import ScalingLaw, law
from cohort.scaling.repeated_data import Repetition, laws, repetition
from cohort.scaling.stored_fit import fitted_interval, fitted_law

__all__ = [
    "FLOP_PER_TOKEN",
    "SERVING_FLOP_PER_TOKEN",
    "Allocation",
    "InfeasibleError",
    "Lifetime",
    "Overtraining",
    "Price",
    "Repetition",
    "ScalingLaw",
    "fitted_interval",
    "fitted_law",
    "law",
    "laws",
    "repetition",
]
