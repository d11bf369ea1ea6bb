"""A ``config.json`` as a `ModelSpec`: shared parts, and a table with one row for each family.

Fields and defaults are those of the families' reference implementations in transformers
:cite:p:`wolf2020transformers`. A new family is one more row of the table.
"""

from __future__ import annotations

from cohort.architecture.families.fields import Fields
from cohort.architecture.families.reading import read, supported_families

__all__ = ["Fields", "read", "supported_families"]
