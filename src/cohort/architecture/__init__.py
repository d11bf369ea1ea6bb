"""Models as layers: kinds of attention, feed-forward networks, numbers, and configs read into them."""

from cohort.architecture.attention import GroupedQuery, Latent
from cohort.architecture.decoder import Dense, Experts, Layer, ModelSpec
from cohort.architecture.dtypes import precision, precisions
from cohort.architecture.registered import model, models

__all__ = [
    "Dense",
    "Experts",
    "GroupedQuery",
    "Latent",
    "Layer",
    "ModelSpec",
    "model",
    "models",
    "precision",
    "precisions",
]
