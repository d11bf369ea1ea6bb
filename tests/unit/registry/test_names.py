"""Names: each usual spelling means the right thing, an ambiguous one nothing, and no refusal is long."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import DATA, table
from rows import each_of

import cohort
from cohort.errors import LONGEST, CohortError, ConfigError, UnknownNameError, nearest, unknown
from cohort.footprint.places import offsite_water, place_name
from cohort.registry import facts
from cohort.registry.model_names import find_model, is_address, shortened, without_organisation
from cohort.registry.names import Match, Names, aliases, key
from cohort.scaling import mixture_laws

MODELS = {
    # case, spaces, separators
    "llama-3-8b": "llama-3-8b",
    "Llama-3-8B": "llama-3-8b",
    "LLAMA 3 8B": "llama-3-8b",
    "llama3_8b": "llama-3-8b",
    "llama3-8b": "llama-3-8b",
    "llama3:8b": "llama-3-8b",
    "Llama‑3‑8B": "llama-3-8b",  # non-breaking hyphens
    "  qwen3-8b ": "qwen3-8b",
    "Qwen3-8B": "qwen3-8b",
    "qwen 3 8b": "qwen3-8b",
    "QWEN_3_32B": "qwen3-32b",
    "Qwen 2.5 7B": "qwen2.5-7b",
    "qwen2_5-7b": "qwen2.5-7b",
    "Phi 1.5": "phi-1.5",
    "GPT2 XL": "gpt2-xl",
    "gpt_oss_20b": "gpt-oss-20b",
    "gpt-oss:20b": "gpt-oss-20b",
    "Gemma2 27B": "gemma-2-27b",
    "gemma-2 2b": "gemma-2-2b",
    "mixtral 8×7b v0.1": "mixtral-8x7b-v0.1",
    "DeepSeek V2 Lite": "deepseek-v2-lite",
    # titles and makers
    "Mistral 7B": "mistral-7b-v0.1",
    "Mixtral 8x22B": "mixtral-8x22b-v0.1",
    "Mixtral-8x22B-Instruct": "mixtral-8x22b-instruct-v0.1",
    "Command R": "command-r-v01",
    "Command R+": "command-r-plus",
    "command-r+": "command-r-plus",
    "Phi-3 mini": "phi-3-mini-4k",
    "Arctic": "snowflake-arctic",
    "Snowflake Arctic": "snowflake-arctic",
    "Meta Llama 3 8B": "llama-3-8b",
    "Google Gemma 2 27B": "gemma-2-27b",
    "Mistral Mixtral 8x7B": "mixtral-8x7b-v0.1",
    "OpenAI gpt-oss 20B": "gpt-oss-20b",
    # organisations
    "meta-llama/Meta-Llama-3-8B": "llama-3-8b",
    "NousResearch/Meta-Llama-3-70B": "llama-3-70b",
    "mistralai/Mixtral-8x7B-v0.1": "mixtral-8x7b-v0.1",
    "Qwen/Qwen3-30B-A3B": "qwen3-30b-a3b",
    "Qwen/Qwen3-Next-80B-A3B": "qwen3-next-80b-a3b",
    "zai-org/GLM-4.5-Air": "glm-4.5-air",
    "tiiuae/falcon-180B": "falcon-180b",
    "facebook/opt-13b": "opt-13b",
    "openai-community/gpt2-xl": "gpt2-xl",
    "deepseek-ai/DeepSeek-V3.2": "deepseek-v3.2",
    "MiniMaxAI/MiniMax-Text-01": "minimax-text-01",
    # what no rule derives
    "CohereForAI/c4ai-command-r-v01": "command-r-v01",
    "CohereForAI/c4ai-command-r-plus": "command-r-plus",
    "allenai/OLMo-2-1124-7B": "olmo-2-7b",
    "allenai/OLMo-2-0325-32B": "olmo-2-32b",
    "allenai/Olmo-3-1025-7B": "olmo-3-7b",
    "meta-llama/Llama-4-Maverick-17B-128E": "llama-4-maverick",
    "GPT-3": "gpt3-175b",
    "Chinchilla": "chinchilla-70b",
    # addresses
    "https://huggingface.co/meta-llama/Meta-Llama-3-8B": "llama-3-8b",
    "https://huggingface.co/google/gemma-2-9b/tree/main": "gemma-2-9b",
    "huggingface.co/Qwen/Qwen3-8B/blob/main/config.json": "qwen3-8b",
    "https://hf.co/Qwen/Qwen3-8B?library=vllm": "qwen3-8b",
    "http://www.huggingface.co/Qwen/Qwen3-8B/": "qwen3-8b",
    "hf://mistralai/Mistral-7B-v0.1@main": "mistral-7b-v0.1",
    "https://modelscope.cn/models/Qwen/Qwen3-32B/summary": "qwen3-32b",
    "models--Qwen--Qwen3-8B": "qwen3-8b",
    "Qwen--Qwen3-8B": "qwen3-8b",
    # the registered instruct model has a vocabulary of its own
    "mistralai/Mixtral-8x22B-Instruct-v0.1": "mixtral-8x22b-instruct-v0.1",
    "mistralai/Mixtral-8x22B-v0.1": "mixtral-8x22b-v0.1",
}
LEFT_OUT = {
    "mistralai/Mistral-Small-3.1-24B-Base-2503": ("mistral-small-3.1-24b", "Base"),
    "mistralai/Mistral-Small-24B-Base-2501": ("mistral-small-3-24b", "Base"),
    "deepseek-ai/deepseek-llm-67b-base": ("deepseek-67b", "base"),
    "ibm-granite/granite-3.0-8b-base": ("granite-3.0-8b", "base"),
    "meta-llama/Meta-Llama-3-8B-Instruct": ("llama-3-8b", "Instruct"),
    "meta-llama/Llama-2-7b-chat-hf": ("llama-2-7b", "chat hf"),
    "meta-llama/Llama-2-70b-hf": ("llama-2-70b", "hf"),
    "google/gemma-2-27b-it": ("gemma-2-27b", "it"),
    "mistralai/Mixtral-8x7B-Instruct-v0.1": ("mixtral-8x7b-v0.1", "Instruct"),
    "microsoft/Phi-3-mini-4k-instruct": ("phi-3-mini-4k", "instruct"),
    "databricks/dbrx-instruct": ("dbrx", "instruct"),
    "Snowflake/snowflake-arctic-base": ("snowflake-arctic", "base"),
    "Qwen/Qwen3-8B-Base": ("qwen3-8b", "Base"),
    "Qwen/Qwen3-32B-FP8": ("qwen3-32b", "FP8"),
    "Qwen/Qwen3-32B-AWQ": ("qwen3-32b", "AWQ"),
    "Qwen/Qwen3-8B-GGUF:Q4_K_M": ("qwen3-8b", "GGUF Q4_K_M"),
    "Qwen/Qwen2.5-7B-Instruct-GPTQ-Int4": ("qwen2.5-7b", "Instruct GPTQ Int4"),
    "unsloth/Meta-Llama-3-8B-Instruct-bnb-4bit": ("llama-3-8b", "Instruct bnb 4bit"),
    "unsloth/Qwen3-8B-unsloth-bnb-4bit": ("qwen3-8b", "unsloth bnb 4bit"),
    "mlx-community/Qwen3-8B-4bit": ("qwen3-8b", "4bit"),
    "TheBloke/Mixtral-8x7B-Instruct-v0.1-GPTQ": ("mixtral-8x7b-v0.1", "Instruct GPTQ"),
    "RedHatAI/Mixtral-8x22B-Instruct-v0.1-FP8-dynamic": ("mixtral-8x22b-instruct-v0.1", "FP8 dynamic"),
    "RedHatAI/gemma-2-9b-it-quantized.w8a8": ("gemma-2-9b", "it quantized w8a8"),
    "nvidia/Gemma-4-31B-IT-NVFP4": ("gemma-4-31b", "IT NVFP4"),
    "gemma-2-27b-it-Q5_K_S.gguf": ("gemma-2-27b", "it Q5_K_S gguf"),
    "llama3:70b-instruct-q8_0": ("llama-3-70b", "instruct q8_0"),
    "Qwen3-30B-A3B-BF16": ("qwen3-30b-a3b", "BF16"),
    "mistralai/Mistral-Small-24B-Instruct-2501": ("mistral-small-3-24b", "Instruct"),
    "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8": ("llama-4-maverick", "Instruct FP8"),
    "Qwen/Qwen3-30B-A3B-Thinking-2507": ("qwen3-30b-a3b", "Thinking"),
}
# What means another model than the one beside it, whether or not that other is registered.
OTHERS = {
    "Llama-3.1-8B": "llama-3-8b",
    "llama-31-8b": "llama-3-8b",
    "llama-3-80b": "llama-3-8b",
    "llama38b": "llama-3-8b",
    "llama-38b": "llama-3-8b",
    "Llama-3.3-70B": "llama-3-70b",
    "qwen2-7b": "qwen2.5-7b",
    "Qwen2.5-VL-7B-Instruct": "qwen2.5-7b",
    "Qwen2.5-Coder-7B": "qwen2.5-7b",
    "Qwen3-VL-8B-Instruct": "qwen3-8b",
    "Qwen3-Embedding-8B": "qwen3-8b",
    "gemma-27b": "gemma-2-7b",
    "gemma27b": "gemma-3-27b",
    "gemma-3-27b": "gemma-2-27b",
    "gemma-22b": "gemma-2-2b",
    "olmo-27b": "olmo-2-7b",
    "phi15": "phi-1.5",
    "Mistral-7B-v0.3": "mistral-7b-v0.1",
    "Mistral-7B-Instruct-v0.2": "mistral-7b-v0.1",
    "Phi-3-mini-128k-instruct": "phi-3-mini-4k",
    "deepseek-ai/DeepSeek-R1-Distill-Llama-70B": "llama-3-70b",
    "NousResearch/Hermes-3-Llama-3-8B": "llama-3-8b",
    "deepseek-v3": "deepseek-v3.2",
    "command-r7b": "command-r-v01",
    "llama-3-8b; rm": "llama-3-8b",
    "llama-3-8b*": "llama-3-8b",
}


@each_of("given", MODELS, ids=repr)
def test_a_model_is_found_by_any_usual_spelling(given):
    found = find_model(given)
    assert (found.name, found.left_out) == (MODELS[given], ())
    assert cohort.model(given) is cohort.model(MODELS[given])


@each_of("given", LEFT_OUT, ids=repr)
def test_what_is_left_out_is_said(given):
    name, left_out = LEFT_OUT[given]
    found = find_model(given)
    assert (found.name, " ".join(found.left_out)) == (name, left_out)
    assert found.notice.startswith(f"left out of the name: {', '.join(found.left_out)}")
    spec = cohort.model(given)
    assert (spec, spec.notice) == (cohort.model(name), found.notice)
    assert found.notice in repr(spec)


def test_a_spelling_that_says_no_more_needs_no_notice():
    assert cohort.model("Qwen/Qwen3-8B").notice == cohort.model("qwen3-8b").notice == ""
    assert cohort.model(DATA / "configs" / "dbrx.json").notice == ""
    assert cohort.model("Qwen3-30B-A3B-2507").notice == "a later checkpoint of the same shape"


def test_a_notice_changes_no_answer():
    plain, noticed = cohort.model("qwen3-8b"), cohort.model("Qwen/Qwen3-8B-FP8")
    assert plain == noticed and hash(plain) == hash(noticed) and plain.notice != noticed.notice
    assert noticed is cohort.model("Qwen/Qwen3-8B-FP8") and noticed.registered
    assert noticed.parameters == plain.parameters


@each_of("given", OTHERS, ids=repr)
def test_no_spelling_means_a_model_that_is_only_near(given):
    try:
        found = find_model(given).name
    except UnknownNameError as error:
        assert len(str(error)) <= LONGEST
    else:
        assert found != OTHERS[given]


@pytest.mark.slow
@each_of("name", cohort.models())
def test_every_name_means_itself_in_each_of_its_forms(name):
    title = next(row["title"] for row in table("models") if row["model"] == name)
    forms = [name, name.upper(), name.replace("-", "_"), name.replace("-", " "), f" {name}\n", title]
    forms += [f"some-org/{name}", f"https://huggingface.co/some-org/{name}", f"{name}-GGUF", f"{name}-FP8"]
    assert {find_model(form).name for form in forms} == {name}
    assert find_model(find_model(title).name) == Match(name)
    assert cohort.model(name.upper()).name == name


def test_no_two_models_share_a_spelling():
    for column in ("model", "title"):
        keys = [key(row[column]) for row in table("models")]
        assert len(set(keys)) == len(keys)


def test_an_ambiguous_spelling_names_the_candidates():
    for text, first in {"Llama 3": "llama-3-8b", "phi3": "phi-3-mini-4k", "mixtral": "mixtral-8x"}.items():
        with pytest.raises(UnknownNameError, match=rf"unknown model '{text}'; did you mean '{first}"):
            cohort.model(text)
    names = Names("fruit", ["red apple", "green apple"], [("apple", "green apple"), ("apple", "red apple")])
    with pytest.raises(
        UnknownNameError, match=r"unknown fruit 'Apple'; did you mean 'red apple' or 'green apple'\?"
    ):
        names.find("Apple")


@pytest.mark.parametrize(
    ("given", "first"),
    [
        ("qwen2-7b", "qwen2.5-7b"),
        ("llama38b", "llama-3-8b"),
        ("llama-3-8", "llama-3-8b"),
        ("someone/mixtral-8x7b-v0.2-AWQ", "mixtral-8x7b-v0.1"),
        ("gemma27b", "gemma-3-27b"),
        ("qwen3-30b", "qwen3-30b-a3b"),
        ("falcon", "falcon-180b"),
    ],
)
def test_the_nearest_model_is_proposed_first(given, first):
    with pytest.raises(UnknownNameError, match=rf"did you mean '{first}'"):
        cohort.model(given)


def test_what_is_near_nothing_is_told_of_the_config():
    with pytest.raises(UnknownNameError) as caught:
        cohort.model("org/zzzzzz")
    assert str(caught.value) == (
        "unknown model 'org/zzzzzz'; give the path of its config.json, or one of cohort.models()"
    )


# --- paths


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, and a home, each with a config."""
    for place in ("home/mine", "work/Qwen/Qwen3-8B", "work/llama-3-8b"):
        (tmp_path / place).mkdir(parents=True)
        shutil.copy(DATA / "configs" / "dbrx.json", tmp_path / place / "config.json")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


@pytest.mark.parametrize(
    ("given", "name", "registered"),
    [
        ("~/mine", "mine", False),
        ("~/mine/config.json", "mine", False),
        ("./llama-3-8b", "llama-3-8b", False),
        ("llama-3-8b/", "llama-3-8b", False),
        ("llama-3-8b/config.json", "llama-3-8b", False),
        ("llama-3-8b", "llama-3-8b", True),  # no path without a separator
        ("Qwen/Qwen3-8B", "Qwen3-8B", False),  # it exists
        ("qwen/qwen3-8b", "qwen3-8b", True),  # it does not
        ("https://huggingface.co/Qwen/Qwen3-8B/blob/main/config.json", "qwen3-8b", True),
        ("../home/mine", "mine", False),
    ],
)
def test_a_path_wins_where_it_looks_like_one(folder, given, name, registered):
    if given == "qwen/qwen3-8b" and os.path.exists(given):
        pytest.skip("this file system knows no case")
    found = cohort.model(given)
    assert (found.name, found.registered) == (name, registered)
    assert (found.parameters == cohort.model("dbrx").parameters) != registered


@pytest.mark.parametrize(
    "given", ["./nowhere", "~/nowhere.json", "a/b/c", "nowhere.json", "llama-3-70b/", "/nowhere"]
)
def test_a_path_that_leads_nowhere_is_no_name(folder, given):
    with pytest.raises(ConfigError, match="there is no file"):
        cohort.model(given)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not JSON: Expecting value"),
        ("[1, 2]", "holds [1, 2], but a config is an object of fields"),
        ('"' + "x" * 10_000 + '"', "…, but a config is an object of fields"),
        ("null", "holds None, but a config is an object of fields"),
        ("9" * 5000, "is not JSON: Exceeds the limit"),
        ("[" * 100_000, "is not JSON: "),
    ],
    ids=range(6),
)
def test_a_file_that_holds_no_config_is_refused_in_short(tmp_path, content, message):
    file = tmp_path / ("long" * 20) / "config.json"
    file.parent.mkdir()
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        cohort.model(file)
    assert message in str(caught.value) and "config.json" in str(caught.value)
    assert len(str(caught.value)) <= LONGEST and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        "./" + "x" * 10_000,
        "a/b/" + "é" * 5000 + ".json",
        "\x00/a/b",
        "./\x1b[31m\n",
        ".",
        "//",
        "~/",
        "a/" * 3000,
    ],
    ids=range(8),
)
def test_a_strange_path_is_refused_in_short(folder, given):
    with pytest.raises(ConfigError) as caught:
        cohort.model(given)
    assert len(str(caught.value)) <= LONGEST and str(caught.value).isprintable()


@pytest.mark.parametrize(
    "given",
    [None, 5, 3.5, True, b"qwen3-8b", ["qwen3-8b"], ("a", "b"), pytest.param(object(), id="an object")],
    ids=repr,
)
def test_what_is_no_name_path_or_config_is_refused(given):
    with pytest.raises(CohortError, match="a model is a name, a path or a config, but ") as caught:
        cohort.model(given)
    assert len(str(caught.value)) <= LONGEST


def test_a_path_that_ends_in_a_known_name_is_told_so(folder):
    with pytest.raises(ConfigError, match="; the model 'qwen3-8b' is known by its name alone"):
        cohort.model("./Qwen3-8B-FP8/config.json")
    with pytest.raises(ConfigError, match=r"there is no file '\./mine/config\.json'$"):
        cohort.model("./mine/config.json")


# --- parts


def test_addresses_and_organisations():
    assert is_address("hf.co/a/b") and not is_address("a/b")
    assert not is_address("https://huggingface.co/datasets/a/gpt2-xl")
    assert without_organisation("hf://a/b@main") == without_organisation("models--a--b") == "b"
    assert without_organisation("dbrx") == "dbrx"


def test_a_name_is_shortened_by_storage_first():
    assert shortened("base-8B-it-Q4_0") == [
        ("base-8B-it-Q4_0", ()),
        ("base-8B-it", ("Q4_0",)),
        ("base-8B", ("it", "Q4_0")),
    ]


@st.composite
def spelt(draw, names, organisations=("",), endings=("",)):
    """A name in some other spelling, with the name: case, separators, spaces, what stands around it."""
    name = draw(st.sampled_from(names))
    separators = st.sampled_from("-_ ")
    spelling = "".join(
        draw(separators) if letter in "-_ " else draw(st.sampled_from([letter.upper(), letter.lower()]))
        for letter in name
    )
    spaces = st.text(" \t", max_size=3)
    start, end = draw(st.sampled_from(organisations)), draw(st.sampled_from(endings))
    return f"{draw(spaces)}{start}{spelling}{end}{draw(spaces)}", name


ORGANISATIONS = ("", "some-org/", "https://huggingface.co/some-org/", "hf.co/org.ai/", "models--some-org--")
ENDINGS = ("", "-GGUF", "-FP8", "-AWQ", " gptq-int4", "_bf16", "-MLX-4bit", "-Q4_K_M.gguf", "-NVFP4")


@given(spelt(cohort.models(), ORGANISATIONS, ENDINGS))
def test_every_model_is_found_in_any_spelling(spelling):
    given, name = spelling
    assert find_model(given).name == name


@given(spelt(cohort.accelerators()))
def test_every_accelerator_is_found_in_any_spelling(spelling):
    given, name = spelling
    assert cohort.accelerator(given).name == name


@given(spelt(cohort.grids()))
def test_every_grid_is_found_in_any_spelling(spelling):
    given, name = spelling
    assert cohort.grid(given).place == name


@given(spelt(cohort.laws()))
def test_every_law_is_found_in_any_spelling(spelling):
    given, name = spelling
    assert cohort.law(given) == cohort.law(name)


@pytest.mark.slow
@given(st.sampled_from(cohort.models()), st.integers(0, 40), st.sampled_from("abcxyz0123456789-."))
def test_a_name_with_one_slip_means_itself_or_is_refused_with_a_near_one(name, where, slip):
    given = name[: where % len(name)] + slip + name[where % len(name) + 1 :]
    try:
        found = find_model(given).name
    except UnknownNameError as error:
        assert len(str(error)) <= LONGEST and ("did you mean" in str(error) or len(name) < 8)
    else:
        assert found in cohort.models()


@pytest.mark.slow
@given(st.text(max_size=300))
def test_any_text_means_a_model_or_is_refused_in_short(text):
    try:
        assert find_model(text).name in cohort.models()
    except UnknownNameError as error:
        assert "\n" not in str(error) and len(str(error)) <= LONGEST


@given(st.text(max_size=40), st.sampled_from("-_ ."))
def test_a_key_is_the_same_with_other_separators_around_it(text, separator):
    assert key(f"{separator}{text}{separator}") == key(text)
    assert key(key(text)) == key(text)


# --- accelerators

ACCELERATORS = {
    "H100 SXM 80GB": "H100 SXM 80GB",
    "h100 sxm": "H100 SXM 80GB",
    "H100-80GB": "H100 SXM 80GB",
    "h100_sxm_80gb": "H100 SXM 80GB",
    "H100 SXM5 80 GB": "H100 SXM 80GB",
    "80GB H100 SXM": "H100 SXM 80GB",
    "NVIDIA H100 80GB HBM3": "H100 SXM 80GB",  # as the driver has it
    "NVIDIA H100 PCIe": "H100 PCIe",
    "H100 PCIe 80GB": "H100 PCIe",
    "h100nvl": "H100 NVL",
    "NVIDIA A100-SXM4-80GB": "A100 SXM 80GB",
    "NVIDIA A100-SXM4-40GB": "A100 SXM 40GB",
    "NVIDIA A100 80GB PCIe": "A100 PCIe 80GB",
    "A100-PCIE-40GB": "A100 PCIe 40GB",
    "a100sxm80gb": "A100 SXM 80GB",
    "Tesla V100-SXM2-32GB": "V100 SXM2 32GB",
    "nvidia h200": "H200",
    "H200 141GB": "H200",
    "H800": "H800 SXM",
    "L40S": "L40S",
    "RTX PRO 6000": "RTX PRO 6000 Blackwell",
    "rtx-pro-6000": "RTX PRO 6000 Blackwell",
    "l4": "L4",
    "GeForce RTX 4090": "RTX 4090",
    "rtx4090": "RTX 4090",
    "4090": "RTX 4090",
    "RTX 3090 24GB": "RTX 3090",
    "GB200": "GB200 (per GPU)",
    "GH200 96GB": "GH200 (96GB HBM3)",
    "AMD Instinct MI300X": "MI300X",
    "mi-300x": "MI300X",
    "Google TPU v5e": "TPU v5e",
    "tpuv5p": "TPU v5p",
    "v6e": "TPU v6e",
    "Ironwood": "TPU v7 (Ironwood)",
    "TPU v7": "TPU v7 (Ironwood)",
    "Intel Gaudi3": "Gaudi 3",
    "AWS Trainium 2": "Trainium2",
    "Apple M3 Ultra": "M3 Ultra (80-core)",
}
# Names as the driver has them, as sellers do, and with the memory.
ACCELERATORS |= {
    spelling: name
    for name, spellings in {
        "P40": ("Tesla P40", "p40", "P40 24GB"),
        "P100 PCIe 16GB": ("Tesla P100-PCIE-16GB", "p100", "P100 16GB"),
        "V100 SXM2 16GB": ("Tesla V100-SXM2-16GB", "v100sxm16gb", "V100 SXM 16 GB"),
        "V100 PCIe 16GB": ("Tesla V100-PCIE-16GB", "v100 pcie 16gb", "V100 16GB PCIe"),
        "V100 PCIe 32GB": ("Tesla V100-PCIE-32GB", "v100pcie32gb", "32GB V100 PCIe"),
        "A800 SXM 80GB": ("NVIDIA A800-SXM4-80GB", "a800", "A800 80GB"),
        "A30": ("NVIDIA A30", "a30", "A30 24GB"),
        "A10G": ("NVIDIA A10G", "a10g", "A10G 24GB"),
        "A16 (per GPU)": ("NVIDIA A16", "a16", "A16 16GB"),
        "A2": ("NVIDIA A2", "a2", "A2 16GB"),
        "RTX A5000": ("NVIDIA RTX A5000", "a5000", "RTX A5000 24GB"),
        "RTX A4000": ("NVIDIA RTX A4000", "a4000", "RTX A4000 16GB"),
        "L40": ("NVIDIA L40", "l40", "L40 48GB"),
        "RTX 6000 Ada": ("NVIDIA RTX 6000 Ada Generation", "rtx6000ada", "RTX 6000 Ada 48GB"),
        "RTX 5000 Ada": ("NVIDIA RTX 5000 Ada Generation", "5000 ada", "RTX 5000 Ada 32GB"),
        "RTX 4000 Ada": ("NVIDIA RTX 4000 Ada Generation", "rtx-4000-ada", "RTX 4000 Ada 20GB"),
        "RTX 2080 Ti": ("NVIDIA GeForce RTX 2080 Ti", "2080ti", "RTX 2080 Ti 11GB"),
        "RTX 3060 12GB": ("NVIDIA GeForce RTX 3060", "rtx3060", "RTX 3060 12 GB"),
        "RTX 3080 10GB": ("NVIDIA GeForce RTX 3080", "3080", "RTX 3080 10G"),
        "RTX 3080 Ti": ("NVIDIA GeForce RTX 3080 Ti", "3080ti", "RTX 3080 Ti 12GB"),
        "RTX 3090 Ti": ("NVIDIA GeForce RTX 3090 Ti", "3090ti", "RTX 3090 Ti 24GB"),
        "RTX 4060 Ti 16GB": ("NVIDIA GeForce RTX 4060 Ti", "4060 ti 16gb", "RTX 4060 Ti"),
        "RTX 4070": ("NVIDIA GeForce RTX 4070", "4070", "RTX 4070 12GB"),
        "RTX 4070 Ti": ("NVIDIA GeForce RTX 4070 Ti", "4070ti", "RTX 4070 Ti 12GB"),
        "RTX 4070 Ti Super": ("NVIDIA GeForce RTX 4070 Ti SUPER", "4070ti super", "RTX 4070 Ti Super 16GB"),
        "RTX 4080": ("NVIDIA GeForce RTX 4080", "rtx4080", "RTX 4080 16GB"),
        "RTX 4080 Super": ("NVIDIA GeForce RTX 4080 SUPER", "rtx4080super", "RTX 4080 Super 16GB"),
        "RTX 5060 Ti 16GB": ("NVIDIA GeForce RTX 5060 Ti", "5060ti", "RTX 5060 Ti 16G"),
        "RTX 5070": ("NVIDIA GeForce RTX 5070", "rtx_5070", "RTX 5070 12GB"),
        "RTX 5070 Ti": ("NVIDIA GeForce RTX 5070 Ti", "5070ti", "RTX 5070 Ti 16GB"),
        "RTX 5080": ("NVIDIA GeForce RTX 5080", "rtx5080", "RTX 5080 16GB"),
        "RTX PRO 5000 Blackwell": ("NVIDIA RTX PRO 5000 Blackwell", "rtx pro 5000", "RTX PRO 5000 48GB"),
        "RTX PRO 6000 Blackwell": (
            "NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "NVIDIA RTX PRO 6000", "RTX PRO 6000 96GB",
        ),
        "H200 NVL": ("NVIDIA H200 NVL", "h200nvl", "H200 NVL 141GB"),
        "DGX Spark (GB10)": ("NVIDIA GB10", "GB10", "Spark", "dgx spark"),
        "Jetson AGX Thor 128GB": ("NVIDIA Thor", "Jetson Thor", "AGX Thor"),
        "Jetson AGX Orin 64GB": ("Jetson AGX Orin", "AGX Orin", "Jetson Orin AGX 64GB"),
        "Strix Halo 128GB": (
            "AMD Ryzen AI MAX+ 395", "Strix Halo", "strix-halo", "AMD Radeon 8060S Graphics", "gfx1151",
        ),
        "MI210": ("AMD Instinct MI210", "mi210", "MI210 64GB"),
        "MI250": ("AMD Instinct MI250", "mi-250", "MI250 128GB"),
        "RX 7900 XTX": ("AMD Radeon RX 7900 XTX", "7900xtx", "RX 7900 XTX 24GB"),
        "Radeon AI PRO R9700": ("AMD Radeon AI PRO R9700", "r9700", "AI PRO R9700 32GB"),
        "Arc B580": ("Intel(R) Arc(TM) B580 Graphics", "b580", "Arc B580 12GB"),
        "Arc Pro B60": ("Intel(R) Arc(TM) Pro B60 Graphics", "b60", "Arc Pro B60 24GB"),
    }.items()
    for spelling in spellings
}  # fmt: skip


@each_of("given", ACCELERATORS, ids=repr)
def test_an_accelerator_is_found_by_any_usual_spelling(given):
    assert cohort.accelerator(given).name == ACCELERATORS[given]
    assert cohort.accelerator(given) is cohort.accelerator(ACCELERATORS[given])


@each_of("name", cohort.accelerators())
def test_every_accelerator_means_itself_in_each_of_its_forms(name):
    vendor = next(row["vendor"] for row in table("accelerators") if row["name"] == name)
    forms = [
        name,
        name.upper(),
        name.lower(),
        name.replace(" ", "_"),
        name.replace(" ", "-"),
        f"{vendor} {name}",
    ]
    assert {cohort.accelerator(form).name for form in forms} == {name}


@pytest.mark.parametrize(
    ("given", "likely"),
    [
        ("H100", ["H100 SXM 80GB", "H100 NVL", "H100 PCIe"]),
        ("A100", ["A100 SXM 80GB", "A100 PCIe 80GB", "A100 SXM 40GB", "A100 PCIe 40GB"]),
        ("A100 40GB", ["A100 SXM 40GB", "A100 PCIe 40GB"]),
        ("GH200", ["GH200 (141-144GB HBM3e)", "GH200 (96GB HBM3)"]),
        ("V100", ["V100 SXM2 32GB", "V100 SXM2 16GB", "V100 PCIe 32GB", "V100 PCIe 16GB"]),
        ("V100 16GB", ["V100 SXM2 16GB", "V100 PCIe 16GB"]),
        ("H20 141GB", ["H20"]),
        ("M3", ["M3 Ultra (80-core)"]),
        ("L2", ["L20"]),
        ("RTX 3080 12GB", ["RTX 3080 10GB"]),
        ("RTX 4060 Ti 8GB", ["RTX 4060 Ti 16GB"]),
        ("RTX 4070 Super", ["RTX 4070"]),
        ("RTX 6000", ["RTX 6000 Ada"]),
        ("P100 12GB", ["P100 PCIe 16GB"]),
        ("Orin", ["Jetson AGX Orin 64GB"]),
        ("7900 XT", ["RX 7900 XTX"]),
        ("MI300", ["MI300X"]),
        ("h1000 sxm", ["H100 SXM 80GB"]),
    ],
)
def test_several_accelerators_or_another_one_are_proposed_the_usual_first(given, likely):
    with pytest.raises(UnknownNameError) as caught:
        cohort.accelerator(given)
    hint = " or ".join(map(repr, likely))
    assert str(caught.value).startswith(f"unknown accelerator '{given}'; did you mean {hint}"[:-1])


@pytest.mark.parametrize("given", [None, 5, ["H100 SXM 80GB"], "", "   ", "TPU", "80GB", "SXM", "x" * 500])
def test_what_names_no_accelerator_is_refused_in_short(given):
    with pytest.raises(UnknownNameError, match="unknown accelerator") as caught:
        cohort.accelerator(given)
    assert len(str(caught.value)) <= LONGEST


# --- grids and laws

PLACES = {
    "SE": "Sweden",
    "swe": "Sweden",
    "FR": "France",
    "DEU": "Germany",
    "gb": "UK",
    "United Kingdom": "UK",
    "US": "USA",
    "usa": "USA",
    "United States of America": "USA",
    "EU": "EU27",
    "european union": "EU27",
    "us texas": "US-Texas",
    "US_NEW_YORK": "US-New York",
    "us-texas (austin energy)": "US-Texas (Austin Energy)",
    "world": "World",
}


@pytest.mark.parametrize("given", PLACES)
def test_a_place_is_found_by_its_spellings_and_codes(given):
    assert place_name(given) == PLACES[given]
    assert cohort.grid(given) == cohort.grid(PLACES[given])
    assert offsite_water(given) == offsite_water(PLACES[given])


@each_of("name", cohort.grids())
def test_every_place_means_itself(name):
    assert {place_name(form) for form in (name, name.upper(), name.replace(" ", "_"), f" {name}")} == {name}


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("us-east-1", "US-PJM"),
        ("us-east1", "US-CAR-SC"),  # Google's, a hyphen from Amazon's
        ("US-West-2", "US-NW-BPAT"),
        ("eastus", "US-PJM"),
        ("europe-west4", "Netherlands"),
        ("the netherlands", "Netherlands"),
        ("KOR", "South Korea"),
        ("us-tex-erco", "US-ERCOT"),
        ("Québec", "CA-QC"),
        ("ES", "Spain"),
        ("GA", "Gabon"),
        ("Georgia", "Georgia"),
        ("US-Georgia", "US-Georgia"),
    ],
)
def test_countries_zones_and_cloud_regions(given, place):
    assert place_name(given) == place


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("Texas", "did you mean 'US-Texas' or "),
        ("Tennessee", "did you mean 'US-Tennessee'?"),
        ("Sweeden", "did you mean 'Sweden'?"),
        ("XX", "known: "),
        (None, "known: "),
    ],
)
def test_an_unknown_place_is_answered_with_what_is_near(given, hint):
    with pytest.raises(UnknownNameError, match=f"unknown grid {given!r}; ") as caught:
        cohort.grid(given)
    assert hint in str(caught.value)


def test_a_footprint_takes_a_place_by_its_code():
    run = {"accelerator": "H100 SXM 80GB", "accelerator_hours": 1000}
    assert cohort.footprint.training(**run, grid="SE") == cohort.footprint.training(**run, grid="Sweden")


def test_laws_are_found_by_their_spellings():
    assert cohort.law("Hoffmann") == cohort.law("Chinchilla") == cohort.law("hoffmann et al.")
    assert cohort.law("besiroglu unrounded") == cohort.law("besiroglu-unrounded") != cohort.law("BESIROGLU")
    assert mixture_laws.routed_law("Clark Hash") is not None
    with pytest.raises(UnknownNameError, match=r"unknown law 'chinchila'; did you mean 'hoffmann'\?"):
        cohort.law("chinchila")
    for name in cohort.laws():
        assert cohort.law(name) == cohort.law(name.upper().replace("-", " "))


# --- the data, and what all refusals share


def test_every_alias_names_what_there_is_and_is_needed():
    known = {
        "model": cohort.models(),
        "accelerator": cohort.accelerators(),
        "grid": cohort.grids(),
        "law": cohort.laws(),
    }
    for kind, names in known.items():
        found = aliases(kind)
        assert {name for _, name in found} <= set(names)
        bare = Names(kind, names)
        assert not [spelling for spelling, _ in found if bare.meant(key(spelling))]


def test_aliases_are_read_again_when_the_table_is_written(tmp_path, monkeypatch):
    copied = shutil.copytree(DATA, tmp_path / "data")
    facts.data_folder.cache_clear()
    monkeypatch.setattr(facts, "data_folder", lambda: str(copied))
    with pytest.raises(CohortError):
        cohort.model("my favourite")
    with (copied / "aliases.csv").open("a", encoding="utf-8") as file:
        file.write("model,my favourite,dbrx,\n")
    os.utime(copied / "aliases.csv", ns=(1, 1))
    assert cohort.model("My-Favourite").name == "dbrx"


def test_nearest_prefers_what_begins_alike_to_what_is_spelt_alike():
    names = ["H200", "H100 SXM", "H100 PCIe", "US-Tennessee", "Sweden", "A100 H100"]
    assert nearest("h100", names) == ["H100 SXM", "H100 PCIe"]
    assert nearest("H100 SXM 80GB", names) == ["H100 SXM"]
    assert nearest("H300", names, 1) == ["H200"]
    assert nearest("Tennessee", names) == ["US-Tennessee"]
    assert nearest("SE", names) == nearest("", names) == nearest("?!", names) == []


HOSTILE = [
    "",
    " ",
    "\n",
    "\x00",
    "\x1b[31mred",
    "x" * 10_000,
    "é" * 5000,
    "../" * 50,
    "%s{0}",
    5,
    1.5,
    None,
    [],
    {},
]


@pytest.mark.parametrize("given", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize(
    "look_up", [cohort.accelerator, cohort.grid, cohort.law], ids=["accelerator", "grid", "law"]
)
def test_what_is_no_name_is_refused_in_short(look_up, given):
    with pytest.raises(CohortError) as caught:
        look_up(given)
    assert len(str(caught.value)) <= LONGEST and str(caught.value).isprintable()


@given(st.text(max_size=300), st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=40))
def test_no_refusal_is_longer_than_a_line_or_two(given, names):
    message = str(unknown("model", given, names, remedy="give the path of its config.json"))
    assert len(message) <= LONGEST and message.startswith("unknown model ")


def test_a_spelling_once_found_is_found_quickly():
    """Twenty microseconds on an idle machine; the bound is wide, and falls if an index is built each time."""
    from timeit import repeat

    for call in (
        lambda: cohort.model("meta-llama/Meta-Llama-3-8B-Instruct"),
        lambda: cohort.accelerator("nvidia h100 sxm"),
        lambda: cohort.grid("SE"),
        lambda: cohort.law("Chinchilla"),
    ):
        call()
        assert min(repeat(call, number=100, repeat=5)) / 100 < 200e-6
