"""What the chapter on attention says: known sentences, and each turn that a sentence can take."""

import pandas as pd
import pytest

import cohort
from cohort.chapters import judging
from cohort.chapters.attention_memory import capacity, compute, kernels, published, tables, words
from cohort.errors import CohortError

GIB = 2**30


def brief(models, model="llama-3-8b", batch=1, context=8192):
    spec = cohort.model(model)
    caches = tables.cache_curves(models, [context], batch)[context]
    even = capacity.break_even_contexts(models, batch)
    ways = tables.what_if(model, context, batch)
    cache = spec.kv_cache_bytes(context, batch)
    return words.brief("Llama 3 8B", batch, "bf16", cache, 2 * spec.parameters, caches, even, ways).split(
        "\n"
    )


def test_the_brief_of_one_model():
    """16,060,522,496 bytes are 14.957 GiB."""
    own, even, saved, last = brief(["llama-3-8b"])
    assert own == (
        "- One text of 8,192 tokens takes 1 GiB of cache in Llama 3 8B, stored in bf16, beside 15 GiB of "
        "weights."
    )
    assert even == "- The cache of Llama 3 8B outweighs its weights from 122,533 tokens on."
    assert saved == (
        "- With a key and a value of its own for each head, Llama 3 8B would keep 4 GiB; of the ways to "
        "save, *multi-query* keeps least, 128 MiB."
    )
    assert last.startswith("- Twice the text takes at most twice the cache")


def test_the_brief_of_several_models():
    own, spread, even, *_ = brief(["command-r-v01", "llama-3-8b"], batch=2)
    assert own.startswith("- 2 texts of 8,192 tokens take 2 GiB of cache in Llama 3 8B")
    assert spread == "- For as much text Command R needs 20 GiB, Llama 3 8B 2 GiB: 10 times less."
    assert even == (
        "- The cache outweighs the weights from 26,700 tokens on in Command R, from 61,300 in Llama 3 8B; of "
        "2 models, only Command R is offered for so many."
    )


def test_the_brief_where_no_cache_outweighs():
    assert "- No cache of these models ever outweighs the weights." in brief(["mistral-7b-v0.1"])


def even_table(contexts):
    frame = pd.DataFrame(
        {"context": contexts, "limit": [100] * len(contexts)}, index=list("abc"[: len(contexts)])
    )
    return frame.astype("Int64")


def test_a_first_token_is_one():
    ways = tables.what_if("llama-3-8b", 8)
    said = words.brief("A", 1, "bf16", 1, 1, pd.Series({"a": 1, "b": 2}, name=1), even_table([1, 200]), ways)
    assert "from 1 token on in a, from 200 in b; of 2 models, only a is offered for so many." in said
    assert said.startswith("- One text of 1 token takes 1 byte of cache in A, stored in bf16, beside 1 byte")


@pytest.mark.parametrize(
    ("values", "middle"),
    [
        ([[1, 2], [2, 4]], "2 of 2 lines rise straight: twice the text takes twice the memory."),
        (
            [[1, 2], [2, 3], [4, 4]],
            "1 of 3 lines rises straight: twice the text takes twice the memory. 1 still bends, since part "
            "of the cache does not grow. c has stopped growing.",
        ),
        (
            [[2, 3], [2, 3]],
            "none of 2 lines rise straight: twice the text takes twice the memory. 2 still bend, since part "
            "of the cache does not grow.",
        ),
        (
            [[4, 4], [4, 4]],
            "none of 2 lines rise straight: twice the text takes twice the memory. a and b have stopped "
            "growing.",
        ),
    ],
)  # fmt: skip
def test_lines_that_grow_bend_and_stop(values, middle):
    caches = pd.DataFrame(values, columns=[1000, 2000], index=list("abc"[: len(values)]))
    said = words.cache_growth(caches, compute.last_powers(caches))
    assert f"At the right end, from 1,000 to 2,000 tokens, {middle}\n" in said
    straight = any(last == 2 * first for first, last in values)
    steepest = "No line is steeper: a cache never grows faster" if straight else "Every cache here grows more"
    assert said.split("\n")[1].startswith(steepest)


def costs(rows):
    return pd.DataFrame(rows, columns=["model", "attention", "average", "further"]).set_index("model")


def test_what_a_token_costs():
    one = costs([("a", "GQA", 2048, 1)])
    assert words.token_costs(one) == "a pays 2 KiB for a token."
    two = costs([("a", "GQA", 2048, 1), ("b", "GQA in 1, MLA in 3", 1024, 0)])
    assert words.token_costs(two) == (
        "a pays 2 KiB for a token, b 1 KiB, 2 times less. 1 of 2 models mixes kinds of layers: b. At this "
        "length a further token costs nothing in b."
    )
    three = costs([(name, "GQA in 1, MLA in 3", 1024, 1) for name in "abc"])
    assert "3 of 3 models mix kinds of layers: a, b and c." in words.token_costs(three)


def test_whose_cache_outweighs():
    assert words.cache_beside_weights(even_table([50, 200, None]), 2, "fp8").startswith(
        "Only a, of 3 models, is offered for so long a text, with 2 sequences in fp8. Where the dot lies "
        "right of its bar, a model is not. With this batch the cache of c never gets there. Sequences share"
    )
    assert words.cache_beside_weights(even_table([200]), 1, "bf16").startswith(
        "None of these models is offered for so long a text, with 1 sequence in bf16. Where the dot"
    )
    assert words.cache_beside_weights(even_table([50, 60]), 1, "bf16").startswith(
        "All of these models are offered for so long a text, with 1 sequence in bf16. Sequences share"
    )
    assert words.cache_beside_weights(even_table([None, None]), 1, "bf16").startswith(
        "With this batch the cache of a and b never gets there."
    )


def test_what_devices_hold():
    fits = capacity.fits_models(["llama-3-8b", "mistral-7b-v0.1", "deepseek-v3.2"], "A10", 8192)
    assert words.devices_needed(fits, "A10") == (
        "One A10 holds 2 of 3 models. In all 2 models weights take more of the memory than the cache: fewer "
        "bits save more on weights than on the cache. 1 model needs more than 64 devices. For Mistral 7B "
        "memory sets no bound on the context, only on the batch."
    )
    both = pd.concat([fits.iloc[2:], fits.iloc[2:].rename(index=str.upper)])
    assert words.devices_needed(both, "A10").endswith("2 models need more than 64 devices.")
    assert words.devices_needed(fits.iloc[:1], "A10") == "One A10 holds Llama 3 8B."


def test_what_fewer_bits_change():
    formats = capacity.fits_formats("llama-3-70b", "H100 SXM 80GB", 8192)
    assert words.stored_in("X", formats, "H100 SXM 80GB") == (
        "In bf16, X takes 2 devices of H100 SXM 80GB at 8,192 tokens. In int4 or nvfp4 it takes 1 device."
    )
    alike = words.stored_in("X", formats.iloc[:2], "H100 SXM 80GB")
    assert alike.endswith(
        "Fewer bits change nothing about that number, and leave more of the memory to the cache."
    )
    nowhere = capacity.fits_formats("deepseek-v3.2", "L4", 8192)
    assert words.stored_in("X", nowhere.iloc[:1], "L4").startswith("No group of up to 64 of L4 holds X")


def test_what_is_copied():
    assert words.copies("X", tables.devices_share("llama-3-70b", 8192, [1, 8, 32])) == (
        "On 32 devices the cache of one sequence of X takes 4 times the memory that it takes on one."
    )
    assert words.copies("X", tables.devices_share("llama-3-70b", 8192, [1, 8])).endswith(
        "takes as much memory as on one: nothing is copied."
    )


def test_ways_to_save_of_llama_3_70b():
    first, second, third = words.ways_to_save(tables.what_if("llama-3-70b", 32_768)).split("\n")
    assert first == (
        "A key and a value for each head take 80 GiB. Against them, *grouped, 8 KV heads* takes 8 "
        "times less, *multi-query* 64 times and *latent, 512 + 64* 28.4 times. The least of all "
        "ways is 1.25 GiB."
    )
    assert second == (
        "A window in every layer besides (*grouped, window 4,096*) makes that 8 times smaller again, and "
        "more in longer texts; 4 first tokens kept beside it, as sinks, add less than 1% to it."
    )
    assert "takes 56% of *grouped, fp8*, not half" in third


def test_a_window_that_the_context_fits_into():
    said = words.ways_to_save(tables.what_if("llama-3-70b", 1024))
    assert "\nA window saves nothing more as long as the context fits into it; 4 first tokens" in said


def test_how_compute_and_memory_grow():
    grown = compute.growth("llama-3-8b", [65_536, 131_072])
    assert words.growth_powers(grown).startswith(
        "At the long end, twice the context takes 4 times the scores of a prompt, 2 times those of the next "
        "token and 2 times the cache.\nNaive attention, which writes the scores of a prompt out, takes 4 "
        "times the memory for them.\n"
    )
    assert "2 times the cache.\nCaching" in words.growth_powers(grown.assign(scores=0))


def test_the_share_of_attention():
    shares = pd.Series({"a": 0.25, "b": 0.5})
    assert "At 1 token causal attention takes from 25% (a) to 50% (b) of" in words.attention_work(shares, 1)
    assert "At 8,192 tokens causal attention takes 25% of" in words.attention_work(shares[:1], 8192)


def test_the_memory_of_flash_attention():
    memory = published.published_memory()
    first, second, third = words.flash_memory(memory, "X", 32_768, 2, 256 * GIB, 10 * GIB).split("\n")
    assert first == (
        "13 of 16 printed figures come out exactly, to the last digit. The rest, of 512 tokens or "
        "fewer, are printed lower, by 16% at most."
    )
    assert second == "At 4,096 tokens the naive way takes 20.4 times the memory."
    assert third == (
        "Written out in two bytes a number, the scores of one layer of X and their softmax would take 256 "
        "GiB at 32,768 tokens with 2 sequences; the cache of all layers takes 10 GiB."
    )
    exact = memory.drop(published.inexact(memory).index)
    said = words.flash_memory(exact, "X", 32_768, 1, 0, 10 * GIB)
    assert said.startswith("13 of 13 printed figures come out exactly, to the last digit.\nAt 4,096")
    assert said.endswith("\nX writes no scores at all.")


def test_measured_memory():
    peaks = kernels.measure_kernels([64, 128])
    assert words.measured_memory(peaks).startswith(
        "The two results are equal to within 1e-12.\nTwice the length"
    )
    assert "At 128 tokens the tiled way holds" in words.measured_memory(peaks)
    assert "are not equal." in words.measured_memory(peaks.assign(difference=1.0))


def test_published_sizes():
    printed = published.published_caches()
    assert words.published_score_sizes(printed).startswith(
        "4 of 5 are ours, rounded to the printed digits. Llama 3 70B is not: the source's own dimensions "
        "give our figure.\nUnits"
    )
    assert "digits.\nUnits" in words.published_score_sizes(printed.assign(rounds=True))
    none = words.published_score_sizes(printed.assign(rounds=False))
    assert "digits. OPT 13B, Llama 2 13B, Llama 3 70B and DeepSeek-V3.2 are not.\n" in none


def test_reported_savings():
    """Eight windows of 4,096 in 32k tokens; 6 bits of 25,920 against 16 of 389,120."""
    savings = published.reported_savings()
    assert savings.window == 8
    assert words.stated_savings(savings) == (
        "By our count the cache with the window is 8 times smaller.\nDeepSeek-V2 stores six bits a number "
        "when it serves. Counted so, against sixteen bits for the other, the saving is 93.3% by our count, "
        "the printed figure; at the same precision it is 82.2%."
    )
    other = published.Savings(8, 0.9, 0.8, 93.3)
    assert "the saving is 90.0% by our count; at" in words.stated_savings(other)


@pytest.mark.parametrize("quantity", ["", "no such thing"])
def test_a_quoted_figure_is_one_row(quantity):
    with pytest.raises(CohortError, match="quoted figures of DeepSeek-V2 begin with"):
        judging.quoted("DeepSeek-V2", quantity)


def test_attention_on_an_accelerator():
    run, table = published.device_attention()
    first, second, third, fourth = words.device_memory(run, table).split("\n")
    assert first == (
        "Measured on H100 SXM 80GB with PyTorch 2.11.0 on 2026-11-26, every peak is within "
        "0.04% of its formula."
    )
    assert second == (
        "At 16,384 tokens one layer of one sequence holds 32.1 GiB the naive way and 128 MiB fused, 257 "
        "times less, and takes 82 and 3.4 ms."
    )
    assert third.endswith("the fused way is 4.9 to 28 times as fast.")
    assert fourth == "At 32,768 tokens the naive way would take 128 GiB; only the fused one was run."
    one = words.device_memory(run, table.loc[[1024]])
    assert one.endswith("At any of these lengths the fused way is 11 times as fast.")
    worse = words.device_memory(run, table.assign(flash=2 * table["flash derived"]))
    assert "within 100.00% of its formula" in worse


def test_what_to_remember():
    formats = capacity.fits_formats("llama-3.3-70b", "H100 SXM 80GB", 32_768, 1, "bf16")
    tokens = pd.Series({"Llama 2 7B": 2**19, "DeepSeek-V2": 2**16})
    work = pd.Series({"Llama 2 7B": 0.5, "DeepSeek-V2": 0.66})
    ways = tables.what_if("llama-3.3-70b", 32_768)
    each, sharing, bits, square = words.takeaways("Llama 3.3 70B", ways, tokens, work, formats, 32_768).split(
        "\n"
    )
    assert each.endswith("512 KiB in Llama 2 7B, 64 KiB in DeepSeek-V2, 8 times less.")
    assert "8 times smaller, a latent vector 28.4 times, a single key and value 64 times." in sharing
    assert bits.startswith("- Fewer bits a weight buy devices: Llama 3.3 70B takes 4 in bf16 and 1 in int4.")
    assert square.endswith("attention is 66% of what the prompt of DeepSeek-V2 costs.")


def test_what_to_remember_of_one_model_that_fits_one_device_or_none():
    formats = capacity.fits_formats("llama-3-8b", "H100 SXM 80GB", 8192, 1, "bf16")
    one = pd.Series({"Llama 3 8B": 0.25})
    ways = tables.what_if("llama-3-8b", 8192)
    text = words.takeaways("Llama 3 8B", ways, one * 2**19, one, formats, 8192)
    assert "A token of Llama 3 8B costs 128 KiB of cache" in text
    assert "on 1 device, Llama 3 8B holds 53 sequences in bf16 and 63 in the smallest" in text
    none = formats.assign(devices=pd.NA)
    assert "in no format do they leave it room" in words.takeaways("it", ways, one, one, none, 8192)
