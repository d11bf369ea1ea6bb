"""One answer as tables: by another way."""

import numpy as np
import pytest

import cohort
from cohort.chapters.serving_footprint import making, tables, uncertainty
from cohort.chapters.serving_footprint.words import comparisons, one_answer
from cohort.errors import CohortError, DoesNotFitError
from cohort.footprint import answers
from cohort.footprint.answers import serving
from cohort.footprint.uncertainty import Spread

CHAT = {"accelerator": "H100 SXM 80GB", "input_tokens": 256, "output_tokens": 400}
COHORT = ["llama-2-7b", "llama-3-8b", "llama-3-70b", "mixtral-8x22b-v0.1", "command-r-v01"]


def test_answers_are_those_of_the_ledger():
    models = tables.by_model(COHORT, 64, **CHAT)
    sweep = tables.by_batch(["llama-3-70b"], 64, **CHAT).set_index("concurrency")
    one = serving(model="llama-3-70b", concurrency=64, **CHAT)
    assert models.loc["Llama 3 70B", "wh"] == pytest.approx(1000 * one.energy_kwh)
    assert sweep.loc[64, "wh"] == pytest.approx(1000 * one.energy_kwh)
    assert list(models.index) == ["Llama 2 7B", "Llama 3 8B", "Llama 3 70B", "Mixtral 8x22B", "Command R"]
    assert models["mixture"].tolist() == [False, False, False, True, False]


def test_what_does_not_fit_is_left_out():
    asked = {**CHAT, "accelerator": "L4"}
    assert tables.by_model(["llama-3.1-405b"], 64, **asked).empty
    assert tables.by_batch(["llama-3.1-405b"], 3, **asked).empty
    assert making.break_evens(["llama-3.1-405b"], 64, 1e6, **asked).empty
    assert uncertainty.own_queries(["llama-3.1-405b"], 64, **asked).empty


def test_parts_of_a_prompt_add_up():
    found = tables.by_prompt("llama-3-70b", 64, **CHAT)
    assert found[["chat", "prompt", "cache"]].sum(axis=1).tolist() == pytest.approx(found["wh"].tolist())
    service = cohort.footprint.service("llama-3-70b", **CHAT)
    share = service.prompt_j / service.joules
    assert found.loc[256, ["prompt", "cache"]].tolist() == pytest.approx([share * found.loc[256, "wh"], 0])
    assert found["wh"].is_monotonic_increasing
    assert (found["concurrency"] == 64).all()
    # The config of the model provides for 8,192 tokens, of which 400 are the answer's.
    assert list(found.index) == [256, 1024, 4096, 7792]
    beyond = tables.by_prompt("llama-3-70b", 64, **{**CHAT, "input_tokens": 10_000})
    assert list(beyond.index) == [256, 1024, 4096, 7792, 10_000]
    long = tables.by_prompt("llama-3.1-405b", 64, **CHAT)
    assert long.loc[65536, "concurrency"] < 64 == long.loc[256, "concurrency"]


def test_measured_answers_by_hand():
    """0.797 J an output token at 63.8 requests: times 400, the host, idle machines and the data centre."""
    found = tables.measured_answers("llama-3-70b", 256, 400).set_index("concurrency")["wh"]
    assert found[63.8] == pytest.approx(0.797 * 400 / 3600 * 1.43 / (1 - 0.10 / 0.93) * 1.10, rel=1e-9)
    assert tables.measured_answers("dbrx", 256, 400).empty
    assert tables.measured_answers("llama-3-70b", 4096, 400).empty
    assert tables.measured_answers("llama-3-70b", 256, 10).empty


def test_the_ledger_of_an_answer():
    rows = {each: serving(model="llama-3-8b", boundary=each, **CHAT) for each in ("node", "with_embodied")}
    found = tables.ledger(rows, 400, 1e6)
    assert found.loc["whole machines", "a million tokens (kWh)"] == pytest.approx(
        found.loc["whole machines", "energy (Wh)"] * 2.5
    )
    assert found.loc["whole machines", "a year of the service (t)"] == pytest.approx(
        found.loc["whole machines", "CO2e (g)"] * 365e6 / 1e6
    )


def test_what_does_not_fit_is_told_by_its_type():
    asked = {**CHAT, "accelerator": "L4"}
    spec = cohort.model("llama-3.1-405b")
    with pytest.raises(DoesNotFitError, match="fits no group of L4"):
        tables.service_of(spec, 64, **asked)
    assert tables.answer_of(spec, 64, **asked) is None
    with pytest.raises(CohortError, match="concurrency is 0"):
        tables.answer_of(spec, 0, **CHAT)


def test_a_measured_service_leads_with_what_was_measured():
    """Llama 3.1 405B at 64 requests: 3.082 J a token, for 400 tokens with host, idle machines and PUE."""
    lengths = {"input_tokens": 256, "output_tokens": 400}
    found = answers.service("llama-3.1-405b", concurrency=64, accelerators=8, weight_dtype="fp8", **lengths)
    chain = 1.43 / (1 - answers.idle_share().central) * 1.1
    measured = tables.measured_at(found)
    assert measured == pytest.approx(3.082 * 400 * chain / 3600, rel=0.01)
    said = one_answer.answer("Llama 3.1 405B", found, Spread(np.array([0.3, 0.5, 0.9]), {}), 0.479, measured)
    assert f"takes {measured:.3g} Wh of the data centre as metered, and 0.479 Wh (0." in said
    assert said.endswith(" Wh) by the terms of this chapter.")
    for other in ({"concurrency": 100}, {"output_tokens": 4000}, {"accelerator": "H200"}):
        asked = {"concurrency": 64, "accelerator": "H100 SXM 80GB", **lengths, **other}
        assert tables.measured_at(answers.service("llama-3.1-405b", weight_dtype="fp8", **asked)) is None


def test_break_evens_by_measurement():
    """Llama 3.1 405B comes to fewer answers, as it was metered at more than the terms give."""
    names = ["llama-3.1-405b", "llama-3-70b", "phi-3-mini-4k"]
    evens = making.break_evens(names, 64, 1e7, **CHAT)
    found = making.measured_break_evens(names, evens, 64, **CHAT)
    assert list(found.index) == ["Llama 3.1 405B", "Llama 3 70B"]
    assert found["Llama 3.1 405B"] == pytest.approx(54.5e9, rel=0.02)
    said = comparisons.by_measurement(found)
    assert said.startswith("Where answers were metered, their energy gives 54")
    assert comparisons.by_measurement(found.iloc[:0]) == ""
