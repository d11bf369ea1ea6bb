"""Scaling laws of dense models and of mixtures, and the allocations that follow from them."""

from cohort.scaling.dense_laws import (
    Allocation,
    InfeasibleError,
    Lifetime,
    Overtraining,
    Price,
    Repetition,
    ScalingLaw,
    law,
    laws,
    repetition,
)

__all__ = [
    "Allocation",
    "InfeasibleError",
    "Lifetime",
    "Overtraining",
    "Price",
    "Repetition",
    "ScalingLaw",
    "law",
    "laws",
    "repetition",
]
