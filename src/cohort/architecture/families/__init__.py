"""The table of families, by ``model_type``: one row of traits for each, in the part of its kind."""

from __future__ import annotations

from cohort.architecture.families.dense import DENSE
from cohort.architecture.families.gemmas import GEMMAS
from cohort.architecture.families.hybrids import HYBRIDS
from cohort.architecture.families.latents import LATENTS
from cohort.architecture.families.mixtures import MIXTURES
from cohort.architecture.parts import Row

_PARTS = (DENSE, MIXTURES, GEMMAS, LATENTS, HYBRIDS)
TABLE: dict[str, Row] = {
    name: row for part in _PARTS for names, row in part.items() for name in names.split()
}
