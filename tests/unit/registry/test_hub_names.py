"""Releases by the names that they have on hubs: each finds its model, or the one whose shape it shares."""

import pytest
from reading import table
from rows import each_of

import cohort
from cohort.registry.model_names import find_model

RELEASES = {
    "Qwen/Qwen2.5-0.5B-Instruct": "qwen2.5-0.5b",
    "Qwen/Qwen2.5-32B-Instruct-AWQ": "qwen2.5-32b",
    "meta-llama/Llama-3.2-1B-Instruct": "llama-3.2-1b",
    "meta-llama/Llama-3.3-70B-Instruct": "llama-3.3-70b",
    "meta-llama/Llama-3.1-70B-Instruct": "llama-3.1-70b",
    "meta-llama/Meta-Llama-3.1-8B-Instruct": "llama-3.1-8b",
    "meta-llama/Llama-4-Scout-17B-16E-Instruct": "llama-4-scout",
    "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8": "llama-4-maverick",
    "Qwen/Qwen3-4B-Instruct-2507": "qwen3-4b",
    "Qwen/Qwen3-235B-A22B-Thinking-2507": "qwen3-235b-a22b",
    "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8": "qwen3-235b-a22b",
    "Qwen/Qwen3-Coder-30B-A3B-Instruct": "qwen3-30b-a3b",
    "Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8": "qwen3-coder-480b-a35b",
    "Qwen/Qwen3-Next-80B-A3B-Instruct": "qwen3-next-80b-a3b",
    "Qwen/Qwen3-VL-8B-Thinking": "qwen3-vl-8b",
    "Qwen/Qwen3.5-9B-Base": "qwen3.5-9b",
    "Qwen/Qwen3.6-35B-A3B-FP8": "qwen3.6-35b-a3b",
    "deepseek-ai/DeepSeek-V3-0324": "deepseek-v3",
    "deepseek-ai/DeepSeek-V3.1": "deepseek-v3",
    "deepseek-ai/DeepSeek-V3.1-Terminus": "deepseek-v3",
    "deepseek-ai/DeepSeek-R1-0528": "deepseek-r1",
    "deepseek-ai/DeepSeek-V3.2-Exp": "deepseek-v3.2",
    "moonshotai/Kimi-K2-Instruct-0905": "kimi-k2",
    "moonshotai/Kimi-K2-Thinking": "kimi-k2",
    "moonshotai/Kimi-K2.6": "kimi-k2.5",
    "moonshotai/Kimi-K2.7-Code": "kimi-k2.5",
    "moonshotai/Kimi-Linear-48B-A3B-Instruct": "kimi-linear-48b-a3b",
    "zai-org/GLM-4.5-Air-FP8": "glm-4.5-air",
    "zai-org/GLM-4.7-Flash": "glm-4.7-flash",
    "zai-org/GLM-5-FP8": "glm-5",
    "MiniMaxAI/MiniMax-M1-80k": "minimax-m1",
    "google/gemma-3-12b-it": "gemma-3-12b",
    "google/gemma-3-27b-it-qat-q4_0-gguf": "gemma-3-27b",
    "google/gemma-3n-E4B-it": "gemma-3n-e4b",
    "google/gemma-4-31B-it": "gemma-4-31b",
    "google/gemma-4-E2B-it": "gemma-4-e2b",
    "mistralai/Mistral-Large-Instruct-2411": "mistral-large-2411",
    "mistralai/Mistral-Small-24B-Instruct-2501": "mistral-small-3-24b",
    "mistralai/Mistral-Small-3.1-24B-Instruct-2503": "mistral-small-3.1-24b",
    "mistralai/Mistral-Small-3.2-24B-Instruct-2506": "mistral-small-3.2-24b",
    "mistralai/Ministral-3-8B-Instruct-2512": "ministral-3-8b",
    "mistralai/Ministral-3-14B-Reasoning-2512": "ministral-3-14b",
    "mistralai/Devstral-2-123B-Instruct-2512": "devstral-2-123b",
    "mistralai/Mistral-Small-4-119B-2603": "mistral-small-4-119b",
    "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": "nemotron-3-nano-30b-a3b",
    "nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-BF16": "nemotron-3-super-120b-a12b",
    "nvidia/NVIDIA-Nemotron-3-Ultra-550B-A55B-NVFP4": "nemotron-3-ultra-550b-a55b",
    "nvidia/NVIDIA-Nemotron-3.5-Lightning-30B-A3B-BF16": "nemotron-3-nano-30b-a3b",
    "nvidia/Nemotron-H-8B-Base-8K": "nemotron-h-8b",
    "nvidia/NVIDIA-Nemotron-Nano-9B-v2": "nemotron-nano-9b-v2",
    "CohereLabs/c4ai-command-a-03-2025": "command-a",
    "CohereLabs/c4ai-command-r7b-12-2024": "command-r7b",
    "ibm-granite/granite-4.0-h-tiny-base": "granite-4.0-h-tiny",
    "ibm-granite/granite-3.0-8b-instruct": "granite-3.0-8b",
    "tiiuae/Falcon-H1-34B-Instruct": "falcon-h1-34b",
    "ai21labs/AI21-Jamba-1.5-Large": "jamba-1.5-large",
    "ai21labs/AI21-Jamba-Large-1.5": "jamba-1.5-large",
    "LiquidAI/LFM2-8B-A1B": "lfm2-8b-a1b",
    "allenai/OLMo-2-1124-13B-Instruct": "olmo-2-13b",
    "allenai/Olmo-3-32B-Think": "olmo-3-32b",
    "allenai/Olmo-3-7B-Instruct": "olmo-3-7b",
    "allenai/Olmo-3.1-32B-Instruct": "olmo-3-32b",
    "HuggingFaceTB/SmolLM2-360M-Instruct": "smollm2-360m",
    "microsoft/phi-4": "phi-4",
    "microsoft/Phi-4-mini-reasoning": "phi-4-mini",
    "microsoft/Phi-4-reasoning": "phi-4",
    "ByteDance-Seed/Seed-OSS-36B-Instruct": "seed-oss-36b",
    "tencent/Hunyuan-A13B-Instruct-FP8": "hunyuan-a13b",
    "tencent/Hy3-preview": "hy3",
    "baidu/ERNIE-4.5-21B-A3B-PT": "ernie-4.5-21b-a3b",
    "baidu/ERNIE-4.5-300B-A47B-Base-PT": "ernie-4.5-300b-a47b",
    "baidu/ERNIE-4.5-21B-A3B-Thinking": "ernie-4.5-21b-a3b",
    "swiss-ai/Apertus-8B-Instruct-2509": "apertus-8b",
    "swiss-ai/Apertus-70B-2509": "apertus-70b",
    "LGAI-EXAONE/EXAONE-4.0-32B": "exaone-4.0-32b",
    "rednote-hilab/dots.llm1.inst": "dots.llm1",
    "rednote-hilab/dots.llm1.base": "dots.llm1",
    "meituan-longcat/LongCat-Flash-Chat": "longcat-flash",
    "meituan-longcat/LongCat-Flash-Thinking": "longcat-flash",
    "stepfun-ai/Step-3.7-Flash-FP8": "step-3.7-flash",
    "XiaomiMiMo/MiMo-7B-RL": "mimo-7b",
    "XiaomiMiMo/MiMo-V2-Flash": "mimo-v2-flash",
    "arcee-ai/Trinity-Large-Preview": "trinity-large",
    "arcee-ai/Trinity-Large-Thinking": "trinity-large",
    "inclusionAI/Ling-3.0-flash": "ling-3.0-flash",
    "LGAI-EXAONE/EXAONE-4.5-33B": "exaone-4.5-33b",
    "mistralai/Devstral-Small-2-24B-Instruct-2512": "devstral-small-2-24b",
    "google/gemma-3-270m-it": "gemma-3-270m",
    "nvidia/MiniMax-M3-NVFP4": "minimax-m3",
    "Qwen/Qwen3.5-4B": "qwen3.5-4b",
}
# Not registered, and no alias: a name near it must not be taken for it.
ABSENT = [
    "moonshotai/Kimi-K3",
    "mistralai/Mistral-Large-3-675B-Instruct-2512",
    "nvidia/NVIDIA-Nemotron-Nano-12B-v2",
    "CohereLabs/c4ai-command-r-08-2024",
    "Qwen/Qwen3-Embedding-8B",
    "meta-llama/Llama-3.2-90B-Vision-Instruct",
]


@each_of(("release", "name"), RELEASES.items())
def test_a_release_finds_its_model(release: str, name: str) -> None:
    assert find_model(release).name == name


@pytest.mark.parametrize("release", ABSENT)
def test_what_is_absent_is_refused(release: str) -> None:
    with pytest.raises(ValueError, match="unknown model"):
        find_model(release)


@each_of("row", [row for row in table("aliases") if row["kind"] == "model"], ids=str)
def test_an_alias_leads_to_a_model_and_hides_none(row: dict[str, str]) -> None:
    names = cohort.models()
    assert row["name"] in names
    assert row["alias"].lower() not in names
    assert find_model(row["alias"]).name == row["name"]
    assert find_model(row["alias"]).note == row["note"]
