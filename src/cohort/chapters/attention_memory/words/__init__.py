"""What the chapter `attention_memory` says in words: sentences about its tables, in Markdown."""

from cohort.chapters.attention_memory.words.caches import (
    brief,
    cache_beside_weights,
    cache_growth,
    copies,
    devices_needed,
    logged,
    met_blind,
    stored_in,
    token_costs,
    versions,
    ways_to_save,
)
from cohort.chapters.attention_memory.words.remembered import takeaways
from cohort.chapters.attention_memory.words.scores import (
    attention_work,
    device_memory,
    flash_memory,
    growth_powers,
    measured_memory,
    published_score_sizes,
    stated_savings,
)
from cohort.chapters.attention_memory.words.training import blind, trained

__all__ = [
    "attention_work",
    "blind",
    "brief",
    "cache_beside_weights",
    "cache_growth",
    "copies",
    "device_memory",
    "devices_needed",
    "flash_memory",
    "growth_powers",
    "logged",
    "measured_memory",
    "met_blind",
    "published_score_sizes",
    "stated_savings",
    "stored_in",
    "takeaways",
    "token_costs",
    "trained",
    "versions",
    "ways_to_save",
]
