"""`cohort.serving` beside the package `llm-analysis`: the same requests, their errors and calls per second.

Run it as ``.venv/bin/python benchmarks/serving_beside_llm_analysis.py``; `llm-analysis` joins where it is
installed: ``pip install -e '.[peers]'``. The requests are the measured rows marked `test` of dense models
of 7B to 70B on A100, H100 and H200; no row of them was fitted. Both are given the same sizes of the model,
peaks, bandwidth and link. The peer answers with the efficiencies that it sets by itself, and with the shares
of the peaks that ours were fitted to; it has no fixed times and no prompts between the tokens. It is timed as
it is installed, with its log going nowhere, and with its log switched off. Times are CPU seconds; building
the objects once is left out on both sides.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

import cohort
from cohort.architecture.dtypes import precision
from cohort.serving import measurements, roofline
from cohort.serving.measurements import GENERATION, Case

BITS = {"fp16": "w16a16e16", "bf16": "w16a16e16", "fp8": "w8a8e16", "int8": "w8a16e16", "int4": "w4a16e16"}
ROUNDS = 5
CASES = [each for each in measurements.cases("test") if measurements.in_scope(each)]


def own(case: Case, found: roofline.Attained) -> Callable[[], float]:
    """Return a call of ours that answers a case."""
    model, device = cohort.model(case.request["model"]), cohort.accelerator(case.request["accelerator"])
    built = replace(case, request={**case.request, "model": model, "accelerator": device})
    return lambda: built.predicted(found)


def peer(case: Case, ours: bool) -> Callable[[], float]:
    """Return a call of `llm-analysis` that answers a case, with our shares of the peaks or its own."""
    from llm_analysis import analysis, config

    spec, device = cohort.model(case.request["model"]), cohort.accelerator(case.request["accelerator"])
    attention, feedforward = spec.layers[0].attention, spec.layers[0].feedforward
    model = config.ModelConfig(
        name=spec.name,
        num_layers=len(spec.layers),
        n_head=attention.heads,
        hidden_dim=spec.hidden,
        vocab_size=spec.vocabulary,
        num_key_value_heads=attention.kv_heads,
        ffn_embed_dim=feedforward.width,
        expansion_ratio=feedforward.width / spec.hidden,
        model_type="llama",
    )
    peaks = dict(device.peaks)
    gpu = config.GPUConfig(
        name=device.name,
        mem_per_GPU_in_GB=device.memory_bytes / 1e9,
        hbm_bandwidth_in_GB_per_sec=device.bandwidth / 1e9,
        intra_node_bandwidth_in_GB_per_sec=device.link / 1e9,
        intra_node_min_message_latency=8e-6,
        peak_fp16_TFLOPS=device.peak("fp16") / 1e12,
        peak_i8_TFLOPS=peaks.get("fp8", peaks["fp16"]) / 1e12,
    )
    shares: dict[str, float] = {}
    if ours:
        found, dtype = roofline.attained(GENERATION), case.request["weight_dtype"]
        width = "16-bit" if dtype in ("fp16", "bf16") else dtype
        shares["hbm_memory_efficiency"] = found.weights[width]
        shares["flops_efficiency"] = found.product(device.name, "fp8" if dtype == "fp8" else "16-bit")
    built = analysis.LLMAnalysis(
        model,
        gpu,
        config.get_dtype_config_by_name(BITS[case.request["weight_dtype"]]),
        config.ParallelismConfig(tp_size=case.request["tensor_parallel"]),
        **shares,
    )
    tokens = case.request["output_tokens"]

    def answer() -> float:
        summary: dict[str, Any] = built.inference(
            batch_size_per_gpu=case.request["concurrency"],
            seq_len=case.request["input_tokens"],
            num_tokens_to_generate=tokens,
            kv_cache_dtype_bytes=precision(case.request["kv_dtype"]).bytes_per_element,
        )
        whole = summary["total_latency"] / tokens
        return float(summary["decode_latency"] if case.quantity == "token" else whole)

    return answer


def seconds(calls: list[Callable[[], float]]) -> float:
    """Return the CPU seconds of a call, the least of several rounds over all cases."""
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        for call in calls:
            call()
        best = min(best, time.process_time() - begin)
    return best / len(calls)


def line(name: str, calls: list[Callable[[], float]], ours: float | None = None) -> float:
    """Print a way to answer: its errors, and how many calls it makes in a second."""
    errors = [call() / case.seconds - 1 for call, case in zip(calls, CASES, strict=True)]
    taken = seconds(calls)
    ratio = f"{taken / ours:9.1f}" if ours else f"{'1':>9}"
    size = median(abs(error) for error in errors)
    print(f"{name:46}{100 * size:9.1f} %{100 * median(errors):+9.1f} %{1 / taken:12,.0f}{ratio}")
    return taken


def quiet() -> None:
    """Send what the peer logs nowhere."""
    from llm_analysis.logger import logger

    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(io.StringIO())


def main() -> None:
    """Print the table, and the answers of both to each request."""
    print(f"{f'{len(CASES)} requests':46}{'median |error|':>11}{'bias':>8}{'calls/s':>13}{'ratio':>9}")
    mine = [own(case, roofline.attained(GENERATION)) for case in CASES]
    taken = line("cohort.serving", mine)
    line("cohort.serving, peaks alone", [own(case, roofline.ROOFLINE) for case in CASES], taken)
    line("cohort.serving, looking names up", [case.predicted for case in CASES], taken)
    if not importlib.util.find_spec("llm_analysis"):
        print("llm-analysis is not installed: pip install -e '.[peers]'")
        return
    quiet()
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = {kind: [peer(case, kind) for case in CASES] for kind in (False, True)}
    line("llm-analysis, its own efficiencies", theirs[False], taken)
    logging.disable(logging.CRITICAL)
    line("llm-analysis, its log switched off", theirs[False], taken)
    line("llm-analysis, our shares, log switched off", theirs[True], taken)
    print(f"\n{'ms per token':52}{'measured':>10}{'cohort':>10}{'theirs':>10}{'our shares':>12}")
    for case, ours, plain, shared in zip(CASES, mine, theirs[False], theirs[True], strict=True):
        asked, times = case.request, (case.seconds, ours(), plain(), shared())
        name = f"{asked['model']} {case.row['weight_dtype']} {asked['accelerator']}"
        name += f" x{asked['tensor_parallel']} {asked['concurrency']}: "
        name += f"{asked['input_tokens']}+{asked['output_tokens']}"
        print(f"{name:52}" + "".join(f"{1e3 * each:10.2f}" for each in times))


if __name__ == "__main__":
    main()
