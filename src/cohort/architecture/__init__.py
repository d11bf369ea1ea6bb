"""Models as layers: kinds of attention, feed-forward networks, numbers, and configs read into them."""

from cohort.architecture.attention import GroupedQuery, Latent
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision, precisions
from cohort.architecture.feedforward import Dense, Experts
from cohort.architecture.layers import Layer
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
