"""The layouts that meters write, and which one a file has."""

from __future__ import annotations

from collections.abc import Callable

from cohort.footprint.logs.meters import dcgm, dmon, nvidia_smi
from cohort.footprint.logs.plain_tables import plain_table
from cohort.footprint.logs.source import Source
from cohort.footprint.logs.trackers import MLFLOW, WANDB, ZEUS, codecarbon, mlflow, wandb, zeus

READERS: dict[str, Callable[[Source], None]] = {
    "nvidia-smi": nvidia_smi,
    "dmon": dmon,
    "dcgm": dcgm,
    "codecarbon": codecarbon,
    "zeus": zeus,
    "mlflow": mlflow,
    "wandb": wandb,
    "plain": plain_table,
}


def layout_of(source: Source) -> str:
    """Return which of `READERS` reads a file, by its heads.

    Parameters
    ----------
    source : Source
        The file.

    Returns
    -------
    str
        ``plain`` where nothing else is known.
    """
    heads = {head.casefold() for head in source.heads}
    if source.text.lstrip().startswith("#"):
        return "dmon"
    if {"emissions", "energy_consumed", "duration", "timestamp"} <= heads:
        return "codecarbon"
    if any(head.startswith("power.draw") for head in heads):
        return "nvidia-smi"
    if any("dcgm_fi_dev_" in head for head in heads):
        return "dcgm"
    if "elapsed_time" in heads and any(ZEUS.fullmatch(head) for head in heads):
        return "zeus"
    if any(WANDB.fullmatch(head) for head in source.heads):
        return "wandb"
    if {"key", "value", "timestamp"} <= heads or MLFLOW.search(source.path.name):
        return "mlflow"
    return "plain"
