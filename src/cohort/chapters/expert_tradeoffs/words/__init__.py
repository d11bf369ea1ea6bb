"""What the chapter `expert_tradeoffs` says in words: sentences about its tables, in Markdown."""

from cohort.chapters.expert_tradeoffs.words.choices import choice, decided, modern_mixtures
from cohort.chapters.expert_tradeoffs.words.devices import (
    best_services,
    dropped_assignments,
    exchange_time,
    load_balance,
    measured_exchanges,
    models_left_out,
    skews,
)
from cohort.chapters.expert_tradeoffs.words.measured import (
    compute_and_memory,
    devices_beside,
    laws_beside,
    pairs_and_rule,
    placements,
    router_loads,
    services_beside,
    times_beside,
)
from cohort.chapters.expert_tradeoffs.words.mixtures import (
    active_counts,
    brief,
    dense_beside,
    distinct_experts,
    sparsity_lost,
    where_weights_are,
)
from cohort.chapters.expert_tradeoffs.words.remembered import takeaways
from cohort.chapters.expert_tradeoffs.words.worths import dense_worth

__all__ = [
    "active_counts",
    "best_services",
    "brief",
    "choice",
    "compute_and_memory",
    "decided",
    "dense_beside",
    "dense_worth",
    "devices_beside",
    "distinct_experts",
    "dropped_assignments",
    "exchange_time",
    "laws_beside",
    "load_balance",
    "measured_exchanges",
    "models_left_out",
    "modern_mixtures",
    "pairs_and_rule",
    "placements",
    "router_loads",
    "services_beside",
    "skews",
    "sparsity_lost",
    "takeaways",
    "times_beside",
    "where_weights_are",
]
