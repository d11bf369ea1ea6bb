"""The chapters under other parameters: whole sentences, no missing numbers, whatever is asked."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from synthetic import code, make, write
from truths import Notebook, faults, said
from variants import NOTEBOOKS, Refusal, own_config, pairwise, refusals, varied

from cohort.errors import NotebookError
from cohort.runner.kernels.kernel import execute
from cohort.runner.records import read_record


def test_a_pairwise_set_changes_together_what_any_case_does() -> None:
    cases = [frozenset("a"), frozenset("ab"), frozenset("bc"), frozenset("abc"), frozenset("bd"), frozenset()]
    assert pairwise(cases) == [3, 4]
    assert pairwise([frozenset("ab"), frozenset("ba")]) == [0]
    assert pairwise([]) == []


@varied(
    "the_cohort",
    "models",
    [
        ({"models": ["mine<img>.json"], "beside": []}, 1),
        ({"models": ["gpt2-xl"], "beside": ["command-r-v01", "dbrx"], "benchmark": "MATH", "context": 1}, 3),
        ({"models": ["dbrx"], "beside": ["deepseek-v2"], "benchmark": "GPQA", "bytes_per_element": 0.5}, 2),
    ],
    ids=["a config of one's own", "one mixture among dense models", "mixtures only"],
)
def test_the_cohort_says_whole_sentences(executed: Notebook, models: int) -> None:
    whole_sentences(executed)
    assert len(read_record(executed)["total_parameters"]["value"]) == models


def whole_sentences(notebook: dict) -> str:
    """Hold that nothing is wrong with a notebook's sentences and tables; return what it says in Markdown."""
    assert faults(notebook) == []
    words = "\n".join(text for _, text in said(notebook))
    assert "<img" not in words  # as in the name of a reader's own file
    return words


@varied(
    "data_optimal",
    "law",
    [
        ({"law": "besiroglu", "inference_tokens": 1e13}, "besiroglu"),
        ({"models": ["llama-3-8b"], "resamples": 20}, "fitted"),
        (
            {"models": ["gpt3-175b"], "model": "gpt3-175b", "law": "sardana-refit", "quality": 1.0},
            "sardana-refit",
        ),
        ({"inference_tokens": 1e9, "unique_tokens": 1e11, "output_share": 0.0, "resamples": 20}, "fitted"),
        ({"model": "chinchilla-70b", "unique_tokens": 1e12, "resamples": 50}, "fitted"),
    ],
    ids=["a published law", "one model", "a model that is too large", "little use", "near the optimum"],
)  # fmt: skip
def test_data_optimal_says_whole_sentences(executed: Notebook, law: str) -> None:
    words = whole_sentences(executed)
    recorded = read_record(executed)
    assert recorded["law"]["value"] == law
    assert len(recorded["overhead"]["value"]) == len(recorded["models"]["value"])
    assert ("interval of the coefficients" in words) == (law == "fitted")
    assert ("which the law was fitted on" in words) == (law in ("fitted", "besiroglu"))


@varied(
    "chinchilla_fit",
    "runs",
    [
        ({"dropped_rows": 0, "flop": 1e20, "resamples": 50}, 245),
        ({"dropped_rows": 20, "loss": "mse", "resamples": 50, "seed": 3}, 225),
        ({"loss": "lad", "resamples": 50}, 240),
        ({"dropped_rows": 0, "loss": "mse", "flop": 3.8e25, "resamples": 200}, 245),
        ({"flop": 1e26}, 240),
        ({"dropped_rows": 150, "resamples": 100}, 95),
    ],
    ids=["all runs", "by squares", "absolute deviations", "as in its last section", "far out", "few runs"],
)
def test_chinchilla_fit_says_whole_sentences(executed: Notebook, runs: int) -> None:
    whole_sentences(executed)
    recorded = read_record(executed)
    assert recorded["runs"]["value"] == runs
    low, high = (recorded[f"tokens_per_parameter_{end}"]["value"] for end in ("low", "high"))
    assert low < recorded["tokens_per_parameter"]["value"] < high


@varied(
    "attention_memory",
    "models",
    [
        ({"model": "mixtral-8x7b-v0.1", "context": 65536}, 21),
        ({"model": "mine<img>.json", "models": ["mine<img>.json"], "context": 1}, 1),
        ({"model": "mistral-7b-v0.1", "models": ["mistral-7b-v0.1"], "dtype": "int4", "batch": 64}, 1),
        (
            {
                "model": "minimax-text-01",
                "models": ["qwen3-next-80b-a3b", "deepseek-v3.2"],
                "accelerator": "L4",
            },
            2,
        ),
        ({"model": "deepseek-v4-flash", "models": ["gpt2-xl", "gemma-2b"], "dtype": "fp8", "batch": 3}, 2),
    ],
    ids=[
        "as in the issue",
        "a config of one's own",
        "windows alone",
        "hybrids that hardly fit",
        "small models",
    ],
)
def test_attention_memory_says_whole_sentences(executed: Notebook, models: int) -> None:
    whole_sentences(executed)
    assert len(read_record(executed)["kv_cache_gib"]["value"]) == models


@varied(
    "serving_roofline",
    "fits",
    [
        (
            {
                "model": "mixtral-8x7b-v0.1",
                "accelerator": "H200",
                "tensor_parallel": 2,
                "weight_dtype": "fp8",
            },
            True,
        ),
        ({"model": "mine<img>.json", "concurrency": 1, "tensor_parallel": 8, "output_tokens": 1}, True),
        ({"model": "llama-3.1-405b", "tensor_parallel": 1, "concurrency": 3}, False),
        ({"model": "deepseek-v2", "accelerator": "L4", "tensor_parallel": 1, "usd_per_hour": 0.44}, False),
        ({"model": "gemma-2b", "accelerator": "RTX 3090", "tensor_parallel": 1, "input_tokens": 8}, True),
        (
            {"model": "minimax-text-01", "accelerator": "B200", "tensor_parallel": 8, "weight_dtype": "int4"},
            True,
        ),
    ],
    ids=[
        "a mixture",
        "a config of one's own",
        "too large",
        "far too large",
        "one small card",
        "linear layers",
    ],
)
def test_serving_roofline_says_whole_sentences(executed: Notebook, fits: bool) -> None:
    words = whole_sentences(executed)
    recorded = read_record(executed)
    assert recorded["fits"]["value"] is fits
    assert ("does not fit" in words) is not fits
    assert recorded["median_error"]["value"] < 15 < recorded["roofline_error"]["value"]


@varied(
    "expert_tradeoffs",
    "devices",
    [
        ({"model": "mixtral-8x7b-v0.1", "models": ["mixtral-8x7b-v0.1"], "skew": 0.0, "concurrency": 1}, 2),
        ({"model": "mine<img>.json", "models": ["llama-3-8b"], "expert_parallel": 1, "skew": 2.0}, 4),
        ({"model": "llama-4-maverick", "models": ["gemma-2b", "qwen3-30b-a3b"], "accelerator": "B200"}, 5),
        ({"model": "dbrx", "models": ["dbrx", "dbrx"], "accelerator": "Gaudi 3", "skew": 3.0}, 3),
        ({"model": "gpt-oss-20b", "accelerator": "Trainium1", "expert_parallel": 32}, 2),
        (
            {
                "model": "qwen3.5-397b-a17b",
                "expert_parallel": 64,
                "capacity_factor": 0.3,
                "concurrency": 4096,
            },
            12,
        ),
    ],
    ids=[
        "one mixture",
        "a config of one's own",
        "one expert a token",
        "no price",
        "no link",
        "many experts and answers",
    ],
)
def test_expert_tradeoffs_says_whole_sentences(executed: Notebook, devices: int) -> None:
    whole_sentences(executed)
    recorded = read_record(executed)
    assert recorded["devices"]["value"] == devices
    assert recorded["exchange_error"]["value"] < 2.5


@varied(
    "serving_footprint",
    "known",
    [
        ({"model": "mixtral-8x7b-v0.1", "grid": "France", "concurrency": 16}, False),
        (
            {"model": "mine<img>.json", "concurrency": 1, "output_tokens": 1, "answers_per_day": 1},
            False,
        ),
        ({"model": "phi-1", "concurrency": 1, "input_tokens": 1, "seed": 0}, True),
        ({"model": "llama-3-8b", "accelerator": "L4", "concurrency": 8, "input_tokens": 4096}, True),
        ({"model": "deepseek-v2", "accelerator": "B200", "concurrency": 256, "grid": "US-Virginia"}, True),
        ({"model": "llama-3.1-405b", "concurrency": 2, "output_tokens": 4000}, True),
        ({"accelerator": "RTX 4090", "model": "gemma-2b", "concurrency": 3}, True),
    ],
    ids=[
        "a mixture",
        "one of one's own",
        "the smallest",
        "small cards",
        "a newer card",
        "the largest",
        "one card",
    ],
)
def test_serving_footprint_says_whole_sentences(executed: Notebook, known: bool) -> None:
    whole_sentences(executed)
    recorded = read_record(executed)
    assert (recorded["break_even"]["value"] != "not disclosed") is known
    low, high = recorded["answer_energy_interval"]["value"]
    assert low < recorded["answer_energy"]["value"] < high
    assert recorded["left_out_spread"]["value"] <= 1.4


@varied(
    "decide",
    "served",
    [
        ({"model": "mixtral-8x7b-v0.1", "accelerators": ["B200"], "places": ["France"], "grams": 1.0}, True),
        ({"model": "mine<img>.json", "requests_per_s": 0.01, "output_tokens": 1, "years": 0.1}, True),
        ({"token_ms": 0.01, "accelerators": ["H100 SXM 80GB"]}, False),
        ({"model": "llama-2-7b", "input_tokens": 5000, "accelerators": ["L4", "L40S"]}, False),
        ({"model": "qwen3-8b", "training_flop": 1e21, "lab_requests_per_s": 1.0, "grams": 1e-6}, True),
    ],
    ids=["one mixture", "one of one's own", "too strict", "too long", "a small lab"],
    always={"accelerators": ["H100 SXM 80GB", "L40S"], "places": ["Sweden", "Poland"]},
    files=own_config("llama-3-8b"),
)
def test_decide_says_whole_sentences(executed: Notebook, served: bool) -> None:
    whole_sentences(executed)
    recorded = read_record(executed)
    assert (recorded["cheapest"]["value"] != "none") is served
    assert recorded["tried"]["value"] >= recorded["kept"]["value"] >= recorded["choices"]["value"]


@varied(
    "training_footprint",
    "published",
    [
        ({"models": ["olmo-2-7b", "olmo-3-32b"], "lifetime_years": 6.0}, 1),
        ({"models": ["mine<img>.json"], "accelerator": "B200", "pue": 1.3}, 0),
        ({"models": ["llama-3-8b"], "grid": "Norway", "draws": 500, "seed": 7}, 1),
        ({"models": ["llama-2-7b", "phi-1"], "grid": "Norway", "pue": 1.2}, 1),
        ({"models": ["gpt3-175b", "gemma-2b"], "grid": "US-Texas", "accelerator": "TPU v5p"}, 1),
        (
            {"models": ["command-r-v01", "gpt2-xl"], "grid": "France", "accelerator": "MI300X", "draws": 100},
            0,
        ),
        ({"models": ["deepseek-v2"], "grid": "USA", "pue": 1.0, "lifetime_years": 0.5}, 1),
    ],
    ids=[
        "metered runs",
        "a config of one's own",
        "one model",
        "small and far away",
        "old and small",
        "nothing published",
        "no losses",
    ],
)
def test_training_footprint_says_whole_sentences(executed: Notebook, published: int) -> None:
    words = whole_sentences(executed)
    assert not re.search(r"(?<![\d.,])(?:1 (?:reports|others)|0 t)\b", words)
    assert not re.search(r"\d[eE][-+]?\d", words)
    assert not re.search(r"off by (?:\d+\.?\d* to )?(?:[2-9]\d|\d{3})", words)  # a report beside its own grid
    recorded = read_record(executed)
    assert sum(recorded["hours_published"]["value"]) == published
    ends = zip(*(recorded[name]["value"] for name in ("co2e_low", "co2e", "co2e_high")), strict=True)
    assert all(low < middle < high for low, middle, high in ends)
    assert recorded["contradictions"]["value"] == 3
    assert recorded["inside_range"]["value"] >= 85


def own_logs(folder: Path) -> None:
    """Write logs as a reader has them: of one accelerator, and of a meter at the wall."""
    rows = [f"2026/11/26 10:{k // 60:02d}:{k % 60:02d}, 0, x, {60 if k < 300 else 300} W" for k in range(900)]
    (folder / "gpu.csv").write_text("\n".join(["timestamp, index, name, power.draw [W]", *rows]), "utf-8")
    wall = [f"{1_780_000_000 + 60 * k},{5000 + k}" for k in range(99)]
    (folder / "wall.csv").write_text("\n".join(["time,wall [W]", *wall]), encoding="utf-8")


@varied(
    "my_footprint",
    "findings",
    [
        ({"logs": ["gpu.csv"], "grid": "", "contracts": [], "unit": "", "flop": 0.0, "pue": 1.2}, 1),
        ({"logs": ["gpu.csv"], "use": "serving", "boundary": "facility", "share": 0.5, "nodes": 4}, 1),
        ({"logs": ["wall.csv"], "boundary": "with_development", "contracts": ["sun:0:hours 9-17"]}, 0),
    ],
    ids=["nothing known", "a share of a service", "a wall meter"],
    files=own_logs,
)
def test_my_footprint_says_whole_sentences(executed: Notebook, findings: int) -> None:
    whole_sentences(executed)
    recorded = read_record(executed)
    assert recorded["findings"]["value"] == findings
    assert recorded["measured"]["value"] < recorded["energy"]["value"]
    low, high = recorded["co2e_interval"]["value"]
    assert low < recorded["co2e"]["value"] < high


FEW = {"accelerators": ["H100 SXM 80GB"], "places": ["Sweden"]}
REFUSED = {
    "chinchilla_fit": [
        ({"loss": "hubert"}, "unknown estimator 'hubert'; did you mean 'huber'"),
        ({"dropped_rows": 240}, "dropped_rows is 240, but must be from 0 to 205 runs"),
        ({"flop": -1.0}, "flop is -1.0, but must be a finite number above 0"),
    ],
    "data_optimal": [
        ({"law": "chinchila"}, "unknown law 'chinchila'"),
        ({"model": "command-r-v01"}, "none of the models named discloses its training tokens"),
        ({"accelerator": "H100"}, "unknown accelerator 'H100'; did you mean"),
        ({"decode_utilisation": 5.0}, "utilisation is 5.0, but must be above 0 and at most 1"),
        ({"quality": 0.0}, "quality is 0.0, but must be a finite number above 0"),
        ({"output_share": 1.5}, "output_share is 1.5, but must be from 0 to 1"),
    ],
    "attention_memory": [
        ({"dtype": "bf61"}, "unknown precision 'bf61'; did you mean 'bf16'"),
        ({"accelerator": "H100"}, "unknown accelerator 'H100'; did you mean"),
        ({"model": "llama-3-80b"}, "unknown model 'llama-3-80b'; did you mean"),
        ({"context": 0}, "context is 0, but must be from 1"),
        ({"batch": 0}, "batch is 0, but must be from 1"),
    ],
    "serving_roofline": [
        ({"accelerator": "H100"}, "unknown accelerator 'H100'; did you mean"),
        ({"model": "llama-3-80b"}, "unknown model 'llama-3-80b'; did you mean"),
        ({"weight_dtype": "fp6"}, "unknown weight_dtype 'fp6'; did you mean"),
        (
            {"tensor_parallel": 3},
            "tensor_parallel is 3, but must divide the 64 attention heads of llama-3-70b",
        ),
        ({"concurrency": 0}, "concurrency is 0, but must be from 1"),
        ({"usd_per_hour": 0.0}, "price is 0.0, but must be a finite number above 0"),
        (
            {"accelerator": "M3 Ultra (80-core)", "tensor_parallel": 1},
            "must be one whose 16-bit peak the data hold",
        ),
    ],
    "expert_tradeoffs": [
        ({"model": "llama-3-8b"}, "model is llama-3-8b, which is dense, but must be a mixture"),
        ({"models": []}, "models"),
        ({"model": "deepseek-v5"}, "unknown model 'deepseek-v5'; did you mean"),
        ({"expert_parallel": 48}, "expert_parallel is 48, but must divide the 160 experts; the nearest"),
        ({"skew": -1.0}, "skew is -1.0, but must be from 0 to 4"),
        ({"capacity_factor": 0.0}, "capacity_factor is 0.0, but must be a finite number above 0"),
        ({"concurrency": 0}, "concurrency is 0, but must be from 1"),
        ({"accelerator": "H100"}, "unknown accelerator 'H100'; did you mean"),
    ],
    "serving_footprint": [
        ({"accelerator": "H100"}, "unknown accelerator 'H100'; did you mean"),
        ({"model": "llama-3-80b"}, "unknown model 'llama-3-80b'; did you mean"),
        ({"grid": "Frence"}, "unknown grid 'Frence'; did you mean 'France'"),
        ({"concurrency": 0}, "concurrency is 0, but must be from 1"),
        ({"concurrency": 100000}, "fits no group of H100 SXM 80GB"),
        ({"output_tokens": 0}, "output_tokens is 0, but must be from 1"),
        ({"answers_per_day": 0}, "answers_per_day is 0, but must be a finite number above 0"),
        ({"seed": -1}, "seed is -1, but must be from 0"),
    ],
    "decide": [
        (FEW | {"accelerators": ["H1000"]}, "unknown accelerator 'H1000'; did you mean"),
        (FEW | {"accelerators": ["A6000"]}, "has no price in the data: give one in prices"),
        (FEW | {"model": "llama-3-80b"}, "unknown model 'llama-3-80b'; did you mean"),
        (FEW | {"places": ["Swedn"]}, "unknown grid 'Swedn'; did you mean"),
        (FEW | {"requests_per_s": 0.0}, "requests_per_s is 0.0, but must be a finite number above 0"),
        (FEW | {"token_ms": -1.0}, "token_s is -0.001, but must be a finite number above 0"),
        (FEW | {"training_flop": 0.0}, "flop is 0.0, but must be a finite number above 0"),
        (FEW | {"input_tokens": 0}, "input_tokens is 0, but must be from 1"),
    ],
    "training_footprint": [
        ({"grid": "Frnace"}, "unknown grid 'Frnace'; did you mean 'France'?"),
        ({"pue": 0.8}, "pue is 0.8, but must be from 1 to 10"),
        ({"accelerator": "H100"}, "unknown accelerator 'H100'; did you mean"),
        ({"accelerator": "A100 PCIe 40GB"}, "must be one whose rated power the data hold"),
        ({"models": ["llama-3-80b"]}, "unknown model 'llama-3-80b'; did you mean"),
        ({"lifetime_years": -1.0}, "lifetime_years is -1.0, but must be above 0"),
        ({"draws": 10}, "draws is 10, but must be from 100"),
        ({"seed": -1}, "seed is -1, but must be from 0"),
    ],
}


@cache
def refused() -> dict[Path, list[Refusal]]:
    return refusals(
        {NOTEBOOKS / f"{chapter}.ipynb": [given for given, _ in REFUSED[chapter]] for chapter in REFUSED}
    )


@pytest.mark.xdist_group("refused")
@pytest.mark.parametrize("chapter", REFUSED)
def test_a_bad_parameter_is_refused_in_one_sentence(chapter: str) -> None:
    """By an error of the package, whichever cell comes to it."""
    sets, messages = zip(*REFUSED[chapter], strict=True)
    found = refused()[NOTEBOOKS / f"{chapter}.ipynb"]
    assert [one.is_ours for one in found] == [True] * len(sets), found
    assert [one.text for one in found if "\n" in one.text] == []
    assert [(one.text, part) for one, part in zip(found, messages, strict=True) if part not in one.text] == []


def test_a_parameter_that_is_not_refused_is_told(tmp_path: Path) -> None:
    cells = (code("context: int = 1  # Tokens.", "p", "parameters"), code("1 / context", "ratio"))
    path, other = (write(tmp_path / f"{name}.ipynb", make(*cells)) for name in ("n", "other"))
    found = refusals({path: [{"context": 2}, {"context": 0}, {"context": 3}], other: [{"context": 0}]})
    first, second, third = found[path]
    assert (first, third) == (Refusal(None, False, ""), Refusal(None, False, ""))
    assert second == found[other][0] == Refusal("ratio", False, "division by zero")


def test_a_refusal_is_an_error_that_names_notebook_and_cell() -> None:
    parameters, message = REFUSED["attention_memory"][0]
    with pytest.raises(NotebookError, match=r"^attention_memory, cell \d+ \[.*" + re.escape(message)):
        execute(NOTEBOOKS / "attention_memory.ipynb", parameters, figures=False)
