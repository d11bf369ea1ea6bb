"""Serving as tables: where phases lie on the roofline, published utilisation, a service by concurrency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cohort.architecture.dtypes import precision
from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import specs, title
from cohort.registry import facts
from cohort.registry.devices import accelerator as find_accelerator
from cohort.registry.devices import sixteen_bit_type
from cohort.serving.attainment import ROOFLINE
from cohort.serving.groups import device_group
from cohort.serving.layouts import Layout
from cohort.serving.roofline import (
    Attained,
    compute_bound_concurrency,
    serve,
    weights_read,
)

# Bytes that a step of training moves for each weight, in mixed precision with Adam: read for both passes and
# the gradient written, two each; then the gradient read, the master copy and both moments read and written,
# four each way, and the weight written.
TRAINING_BYTES = 2 + 2 + 2 + 2 + 3 * 8 + 2


# What readers call the sources of measured rows: the engine, and what it ran on.
SOURCES = {
    "gpubenchmarks": "llama.cpp, cards",
    "intelgaudi3": "Gaudi 3",
    "llamacpp4167": "llama.cpp, Apple",
    "lmdeploya100": "LMDeploy, A100",
    "trtllmdeepseekr1": "TensorRT-LLM, R1",
    "trtllmh200": "TensorRT-LLM, H200",
}


TRAINING_TOKENS = 8192  # that one device works on in a step


def phases(
    model: str,
    accelerator: str,
    concurrency: int,
    input_tokens: int,
    output_tokens: int,
    weight_dtype: str = "bf16",
    kv_dtype: str = "bf16",
) -> pd.DataFrame:
    """Return FLOPs and bytes of training and of both phases of serving, and what the peaks allow.

    Activations are left out: what stays on the chip depends on the kernels.

    Parameters
    ----------
    model, accelerator : str
        Names or a path.
    concurrency : int
        Sequences that are written at once.
    input_tokens, output_tokens : int
        Tokens of prompt and answer.
    weight_dtype, kv_dtype : str
        Types of weights and cache in serving; training is in 16 bits.

    Returns
    -------
    DataFrame
        Per phase: ``flops`` and ``bytes``, ``intensity`` in FLOP a byte, ``ridge``, the intensity from which
        on compute is the limit, the ``peak`` of one device in FLOP a second, and what of it is
        ``attainable``.

    Raises
    ------
    CohortError
        As in `cohort.serving.serve`.
    """
    spec, device = read_model(model), find_accelerator(accelerator)
    sizes: dict[str, Any] = {"input_tokens": input_tokens, "output_tokens": output_tokens}
    sizes |= {"weight_dtype": weight_dtype, "kv_dtype": kv_dtype}
    read = weights_read(spec, input_tokens) * precision(weight_dtype).bytes_per_element
    read += spec.kv_cache_bytes(input_tokens, 1, precision(kv_dtype).bytes_per_element)
    training = 3.0 * TRAINING_TOKENS * spec.forward_flops(TRAINING_TOKENS), TRAINING_BYTES * spec.parameters
    records = {
        "training": (*training, device.peak(sixteen_bit_type(device))),
        "prefill": (spec.prefill_flops(input_tokens), read, 0.0),
    }
    for sequences in sorted({1, concurrency}):
        step = serve(spec, device, 1, sequences, **sizes)
        flops = spec.decode_flops(input_tokens + (output_tokens + 1) // 2, sequences)
        records[f"decode, {sequences:,}"] = (flops, step.step_bytes, step.peak)
        records["prefill"] = (*records["prefill"][:2], step.peak)
    frame = pd.DataFrame.from_dict(records, orient="index", columns=["flops", "bytes", "peak"])
    frame.insert(2, "intensity", frame["flops"] / frame["bytes"])
    frame.insert(3, "ridge", frame["peak"] / device.bandwidth)
    frame["attainable"] = frame[["intensity", "ridge"]].min(axis=1) * device.bandwidth
    return frame


def ridges(models: Sequence[str], devices: Sequence[str], weight_dtype: str = "bf16") -> pd.DataFrame:
    """Return from how many sequences on decode turns compute-bound, at the peaks and without the cache.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    devices : sequence of str
        Names of accelerators.
    weight_dtype : str
        Type of the weights.

    Returns
    -------
    DataFrame
        One row an accelerator: ``ridge`` in FLOP a byte, and one column a model, in sequences.

    Raises
    ------
    CohortError
        If a name is unknown, or the data hold no 16-bit peak of an accelerator.
    """
    records = {}
    for name in devices:
        device = find_accelerator(name)
        ridge = device.peak(sixteen_bit_type(device)) / device.bandwidth
        turned = {title(spec): compute_bound_concurrency(spec, name, weight_dtype) for spec in specs(models)}
        records[name] = {"ridge": ridge, **turned}
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("accelerator")


def crossing(
    model: str, accelerator: str, tensor_parallel: int = 1, weight_dtype: str = "bf16"
) -> pd.DataFrame:
    """Return what reading the weights and multiplying with them take in a step, at the peaks.

    Parameters
    ----------
    model, accelerator : str
        Names or a path.
    tensor_parallel : int
        Devices that share each layer.
    weight_dtype : str
        Type of the weights.

    Returns
    -------
    DataFrame
        Per number of answers, a power of two up to well beyond the crossing: ``reading`` and ``multiplying``,
        in seconds.

    Raises
    ------
    CohortError
        As in `cohort.serving.serve`.
    """
    group = device_group(model, accelerator, Layout(tensor_parallel), weight_dtype, "bf16", ROOFLINE)
    turned = compute_bound_concurrency(model, accelerator, weight_dtype)
    numbers = [2**power for power in range((4 * turned).bit_length())]
    records = {
        number: {
            "reading": group.weight_bytes(number) / group.bandwidth,
            "multiplying": group.multiplying(number),
        }
        for number in numbers
    }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("answers")


def training_utilisation() -> pd.DataFrame:
    """Return the published utilisation of training runs: model, accelerators, share of the peak, source."""
    rows = [row for row in facts.rows("serving_measurements") if row["phase"] == "training"]
    known = [row for row in rows if row["metric"] in ("mfu", "mfu_causal")]
    frame = pd.DataFrame(known)[["model", "accelerator", "accelerators", "value", "status", "source"]]
    frame["value"] = frame["value"].astype(float)
    frame["model"] = [_titled(row) for row in known]
    frame["accelerators"] = pd.to_numeric(frame["accelerators"]).astype("Int64")
    return frame.sort_values("value", ascending=False, kind="stable").set_index("model")


def _titled(row: dict[str, str]) -> str:
    """Return the title of the model of a row where it is one of this book, else its plain name."""
    own = row["model"] == row["same_shape_as"]
    return title(read_model(row["model"])) if own else row["model"]


def concurrency_steps(most: int, also: int = 1) -> list[int]:
    """Return the concurrencies of a sweep.

    Parameters
    ----------
    most : int
        The largest that fits, 0 where none does.
    also : int
        Another that must be there.

    Returns
    -------
    list of int
        Powers of two up to the larger of both, and both of them, rising.
    """
    found, each = {also, max(most, 1)}, 1
    while each < max(most, also):
        found.add(each)
        each *= 2
    return sorted(found)


def by_concurrency(numbers: Sequence[int], found: Attained | None = None, **request: Any) -> pd.DataFrame:
    """Return a service at several concurrencies.

    Parameters
    ----------
    numbers : sequence of int
        Concurrencies.
    found : Attained, optional
        As in `serve`.
    **request
        Other arguments of `serve`.

    Returns
    -------
    DataFrame
        Per concurrency: ``tpot`` and ``ttft`` in seconds, ``throughput`` in output tokens a second, ``each``,
        that of one sequence, ``mfu``, ``mbu``, ``bound``, ``fits``, and the seconds of each part of the time
        per token under its name.

    Raises
    ------
    CohortError
        As in `serve`.
    """
    records = {}
    for number in numbers:
        answer = serve(**request, concurrency=number, attained=found)
        records[number] = {
            "tpot": answer.tpot_s,
            "ttft": answer.ttft_s,
            "throughput": answer.output_tokens_per_s,
            "each": answer.output_tokens_per_s / number,
            "mfu": answer.mfu,
            "mbu": answer.mbu,
            "bound": answer.bound,
            "fits": answer.fits,
            **dict(answer.parts),
        }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("concurrency")
