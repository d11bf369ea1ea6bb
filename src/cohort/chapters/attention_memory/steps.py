"""Steps of training that were predicted before they were measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.reading import read
from cohort.architecture.registered import model, title
from cohort.registry import facts
from cohort.serving.training_peak import training_memory

COUNTS = ("num_hidden_layers", "n_layer")
NESTED = "text_config"  # where a multimodal release has its decoder
LISTS = ("layer_types", "no_rope_layers", "mlp_layer_types")  # fields with an entry for each layer


def built(name: str, layers: int) -> ModelSpec:
    """Return a model of the registry with its first layers alone.

    Parameters
    ----------
    name : str
        Its name.
    layers : int
        How many layers it has.

    Returns
    -------
    ModelSpec

    Examples
    --------
    >>> len(built("llama-3.2-1b", 2).layers)
    2
    """
    config = json.loads(Path(facts.config_path(name)).read_text(encoding="utf-8"))
    decoder = config.get(NESTED, config)
    cut = {each: decoder[each][:layers] for each in LISTS if isinstance(decoder.get(each), list)}
    count = next((each for each in COUNTS if each in decoder), COUNTS[0])
    shorter = {**decoder, **cut, count: layers}
    return read({**config, NESTED: shorter} if NESTED in config else shorter, name)


def predicted_peak(row: Mapping[str, str]) -> int:
    """Return what this book says of a row of ``training_steps`` today.

    Parameters
    ----------
    row : mapping
        The row.

    Returns
    -------
    int
        Bytes at the peak.
    """
    return training_memory(
        built(row["model"], int(row["layers"])),
        int(row["batch"]),
        int(row["length"]),
        recipe=row["recipe"],
        optimiser=row["optimiser"].split()[0],
        recompute=row["recompute"],
        adapter_rank=int(row["adapter_rank"]),
        adapter_targets=row["adapter_targets"],
        fused_attention=row["attention"] != "eager",
    ).peak


def blind_steps() -> pd.DataFrame:
    """Return the errors of steps that were predicted before they were measured.

    Returns
    -------
    DataFrame
        Per step: ``model``, its ``part`` of the table, and errors in percent: ``first``, as it was predicted
        before it was measured, ``mended``, when the rows that test were looked at after the mend, ``now``.
    """
    records = []
    for row in facts.rows("training_steps"):
        measured = int(row["peak_allocated_bytes"])
        sizes = {
            "first": int(row["predicted_bytes"]),
            "mended": int(row["mended_bytes"]),
            "now": predicted_peak(row),
        }
        errors = {name: 100 * (size / measured - 1) for name, size in sizes.items()}
        records.append({"model": title(model(row["model"])), "part": row["part"], **errors})
    return pd.DataFrame(records)


def recorded(table: pd.DataFrame) -> dict[str, tuple[list[float], str]]:
    """Return what the chapter records of these errors.

    Parameters
    ----------
    table : DataFrame
        As `blind_steps` returns it.

    Returns
    -------
    dict
        Median absolute errors of the rows that test, at first and after the mend, and of the later ones.
    """
    tests, later = table[table["part"] == "tests"], table[table["part"] == "later"]
    found = (tests["first"], tests["mended"], later["mended"])
    return {"blind_steps_error": ([float(each.abs().median()) for each in found], "%")}
