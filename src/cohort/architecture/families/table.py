"""The table of families, by ``model_type``. A new family is one more row in one of its three parts."""

from __future__ import annotations

from cohort.architecture.families.dense import DENSE
from cohort.architecture.families.hybrids import HYBRIDS
from cohort.architecture.families.mixtures import MIXTURES
from cohort.architecture.families.row import Row

TABLE: dict[str, Row] = {
    name: row for part in (DENSE, MIXTURES, HYBRIDS) for names, row in part.items() for name in names.split()
}
