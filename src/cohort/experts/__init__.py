"""Mixtures of experts: coverage, balance and exchange in closed form; a router that is simulated.

`cohort.experts.router` needs NumPy and is imported by its own name.
"""

from cohort.experts.choosing import chosen_shares, ranked_weights
from cohort.experts.closed_form import (
    balance_loss,
    capacity,
    coverage,
    coverage_variance,
    device_loads,
    dropped,
    shared_evenly,
    slowest_device,
)
from cohort.experts.exchange import exchange_seconds, exchanged_bytes

__all__ = [
    "balance_loss",
    "capacity",
    "chosen_shares",
    "coverage",
    "coverage_variance",
    "device_loads",
    "dropped",
    "exchange_seconds",
    "exchanged_bytes",
    "ranked_weights",
    "shared_evenly",
    "slowest_device",
]
