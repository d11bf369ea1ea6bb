"""Measure the peak memory of training steps of transformers' models, as `data/training_steps.csv` holds it.

Run it as ``python benchmarks/device/transformers_steps.py --cells FILE --out FILE`` where PyTorch with a CUDA
device, transformers, peft and accelerate are installed. Models are made from the configs of this book with
random weights. A step that does not fit, or fails, is a row that says so. ``--tiny`` tries the script on a
machine without a device: models are small, and nothing is measured.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import datetime
import gc
import importlib.metadata
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch

DATA = Path(__file__).parents[2] / "data"
CELLS = DATA / "training_steps.csv"
STEPS = 3  # the first makes the optimiser's states; the peak is that of the others
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
TARGETS: dict[str, str | list[str]] = {
    "all": "all-linear",
    "attention": ATTENTION,
    "queries and values": ["q_proj", "v_proj"],
}
# Parts of a config that say how weights were stored, or where code was.
STORED = ("auto_map", "quantization_config", "torch_dtype", "dtype", "architectures", "transformers_version")
TINY = {
    "hidden_size": 64, "intermediate_size": 96, "moe_intermediate_size": 32, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 512, "num_experts": 8, "num_local_experts": 4,
    "n_routed_experts": 8, "kv_lora_rank": 16, "qk_nope_head_dim": 16, "qk_rope_head_dim": 16,
    "v_head_dim": 16,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """One step to measure; fields are the first columns of the table."""

    model: str
    layers: int
    loop: str
    recipe: str
    autocast: str
    optimiser: str
    adapter_rank: int
    adapter_targets: str
    recompute: str
    attention: str
    batch: int
    length: int

    @classmethod
    def of(cls, row: dict[str, str]) -> Cell:
        """Return the cell of a row of the table."""
        numbers = {"layers", "adapter_rank", "batch", "length"}
        return cls(**{each.name: int(row[each.name]) if each.name in numbers else row[each.name]
                      for each in fields(cls)})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """What a step took; None where there is no device."""

    peak_allocated_bytes: int | None
    peak_reserved_bytes: int | None
    states_bytes: int | None
    step_s: float


# --- the model


def config_of(cell: Cell, tiny: bool) -> Any:
    """Return transformers' config of a model of this book, with its first layers alone."""
    from transformers import AutoConfig

    found = json.loads((DATA / "configs" / f"{cell.model}.json").read_text(encoding="utf-8"))
    kept = {name: value for name, value in found.items() if name not in STORED}
    kept["num_hidden_layers"] = cell.layers
    for name in ("layer_types", "no_rope_layers", "mlp_layer_types"):
        if isinstance(kept.get(name), list):
            kept[name] = kept[name][: cell.layers]
    if tiny:
        kept |= {name: value for name, value in TINY.items() if name in kept}
    return AutoConfig.for_model(**kept)


def built(cell: Cell, device: torch.device, tiny: bool) -> torch.nn.Module:
    """Return the model with random weights, its adapters, and whether layers are computed again."""
    from transformers import AutoModelForCausalLM

    stored = torch.bfloat16 if cell.recipe == "bf16" else torch.float32
    with device:
        model = AutoModelForCausalLM.from_config(
            config_of(cell, tiny), dtype=stored, attn_implementation=cell.attention
        )
    model.train()
    if cell.recompute == "full":
        model.gradient_checkpointing_enable()
    if cell.adapter_rank:
        from peft import LoraConfig, get_peft_model

        targets = TARGETS[cell.adapter_targets]
        model = get_peft_model(
            model, LoraConfig(r=cell.adapter_rank, target_modules=targets, task_type="CAUSAL_LM")
        )
    return model.to(device)


def optimisers(cell: Cell, model: torch.nn.Module) -> list[torch.optim.Optimizer]:
    """Return what updates the weights: Muon has matrices of the layers alone, and AdamW the rest."""
    trained = {name: each for name, each in model.named_parameters() if each.requires_grad}
    rate = 1e-6
    fused = next(iter(trained.values())).is_cuda
    if cell.optimiser == "adamw":
        return [torch.optim.AdamW(trained.values(), lr=rate, fused=fused)]
    if cell.optimiser == "adamw foreach":
        return [torch.optim.AdamW(trained.values(), lr=rate, foreach=True)]
    if cell.optimiser == "sgd":
        return [torch.optim.SGD(trained.values(), lr=rate)]
    if cell.optimiser == "momentum":
        return [torch.optim.SGD(trained.values(), lr=rate, momentum=0.9)]
    if cell.optimiser == "adafactor":
        return [torch.optim.Adafactor(trained.values(), lr=rate)]
    if cell.optimiser == "muon":
        inner = {name for name, each in trained.items() if each.ndim == 2 and ".layers." in name}
        return [
            torch.optim.Muon([trained[name] for name in inner], lr=rate),
            torch.optim.AdamW(
                [each for name, each in trained.items() if name not in inner], lr=rate, fused=fused
            ),
        ]
    raise ValueError(f"no optimiser is called {cell.optimiser}")


# --- the steps


class Meter:
    """Peak of the steps after the first, and what stays after the last."""

    def __init__(self, device: torch.device) -> None:
        self.cuda, self.begun, self.taken = device.type == "cuda", 0.0, 0.0

    def begin(self) -> None:
        """Count from here on."""
        if self.cuda:
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
        self.begun = time.perf_counter()

    def end(self) -> None:
        """Note the time since it began."""
        if self.cuda:
            torch.cuda.synchronize()
        self.taken = (time.perf_counter() - self.begun) / (STEPS - 1)

    def read(self) -> Measured:
        """Return what was seen."""
        if not self.cuda:
            return Measured(None, None, None, self.taken)
        return Measured(
            torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved(),
            torch.cuda.memory_allocated(), self.taken,
        )  # fmt: skip


def by_hand(cell: Cell, model: torch.nn.Module, device: torch.device, length: int) -> Measured:
    """Take the steps of a loop as most people write it."""
    found, meter = optimisers(cell, model), Meter(device)
    rows = int(model.config.vocab_size)
    context: Callable[[], Any] = contextlib.nullcontext
    if cell.autocast == "yes":
        context = lambda: torch.autocast(device.type, dtype=torch.bfloat16)  # noqa: E731
    for step in range(STEPS):
        if step == 1:
            meter.begin()
        tokens = torch.randint(0, rows, (cell.batch, length), device=device)
        with context():
            loss = model(input_ids=tokens, labels=tokens).loss
        loss.backward()
        for each in found:
            each.step()
        for each in found:
            each.zero_grad()
        del tokens, loss
    meter.end()
    return meter.read()


def by_trainer(cell: Cell, model: torch.nn.Module, device: torch.device, length: int) -> Measured:
    """Take the steps of transformers' Trainer with its defaults."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    meter = Meter(device)

    class Watch(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            if state.global_step == 1:
                meter.begin()

        def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            if state.global_step == STEPS:
                meter.end()

    rows = int(model.config.vocab_size)
    drawn = torch.randint(0, rows, (STEPS * cell.batch, length))
    with tempfile.TemporaryDirectory() as folder:
        options = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=cell.batch, max_steps=STEPS,
            bf16=cell.autocast == "yes", gradient_checkpointing=cell.recompute == "full",
            report_to=[], save_strategy="no", disable_tqdm=True, use_cpu=device.type == "cpu",
        )  # fmt: skip
        examples = [{"input_ids": each, "labels": each} for each in drawn]
        Trainer(model, options, train_dataset=examples, callbacks=[Watch()]).train()
        return meter.read()


def measured(cell: Cell, device: torch.device, tiny: bool) -> Measured:
    """Return what a step takes, on a device that holds nothing else."""
    model = built(cell, device, tiny)
    take = by_trainer if cell.loop == "Trainer" else by_hand
    return take(cell, model, device, 64 if tiny else cell.length)


# --- the table


def freed(device: torch.device) -> None:
    """Give back what the last cell held."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def versions(device: torch.device) -> dict[str, str]:
    """Return with what and when it was measured."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    found = {"device": name}
    for each in ("torch", "transformers", "peft"):
        found[each] = importlib.metadata.version(each).partition("+")[0]
    return {**found, "date": datetime.datetime.now(datetime.UTC).date().isoformat()}


def lines(
    cells: list[dict[str, str]], device: torch.device, tiny: bool, until: float
) -> Iterator[dict[str, Any]]:
    """Yield a row for each cell until the time is over."""
    also = versions(device)
    for row in cells:
        if time.monotonic() > until:
            print("the time is over", file=sys.stderr)
            return
        cell, note, begun = Cell.of(row), "", time.monotonic()
        found: dict[str, Any] = dict.fromkeys((each.name for each in fields(Measured)), "")
        try:
            found = asdict(measured(cell, device, tiny))
        except torch.OutOfMemoryError:
            note = "out of memory"
        except Exception as error:  # a cell that fails is a row, and the others go on
            note = (
                f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
            )
        freed(device)
        left = torch.cuda.memory_allocated() if device.type == "cuda" else 0
        print(
            f"{time.monotonic() - begun:5.1f} s, {left / 2**20:,.0f} MiB left, {cell}: {found} {note}",
            flush=True,
        )
        yield {**row, **found, **also, "note": note}


def main(given: list[str] | None = None) -> None:
    """Measure the cells of a file, and write each as it is measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cells", type=Path, default=CELLS, help="the steps to measure")
    parser.add_argument("--out", type=Path, required=True, help="file of the measurements")
    parser.add_argument("--seconds", type=float, default=1e9, help="time after which no cell is begun")
    parser.add_argument("--tiny", action="store_true", help="small models on the CPU, for trying the script")
    options = parser.parse_args(given)
    until = time.monotonic() + options.seconds
    device = torch.device("cpu" if options.tiny else "cuda:0")
    torch.manual_seed(0)
    with options.cells.open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    table = None
    with options.out.open("w", encoding="utf-8", newline="") as file:
        for line in lines(cells, device, options.tiny, until):
            if table is None:
                table = csv.DictWriter(file, list(line), lineterminator="\n")
                table.writeheader()
            table.writerow(line)
            file.flush()


if __name__ == "__main__":
    main()
