"""Releases that hold a text decoder beside towers for images, video or sound, and whether it is tied."""

from __future__ import annotations

from typing import NamedTuple

# Where the text decoder's fields lie.
TEXT_KEYS = ("text_config", "llm_config", "language_config", "thinker_config")

# Whether matrices are tied: three flags outside (absent, true, false), and for each the same three inside.
OUTER = "000111000"  # the flag outside alone says it, untied if absent
OUTER_TIED = "111111000"  # the same, tied if absent
NEVER = "000000000"
EITHER = "010111010"
INNER = "010010010"
INNER_TIED = "110110110"
BOTH_UNTIED = "111111110"  # untied only where both say so


class Nested(NamedTuple):
    """The text decoder of a release where its config does not name one, and the rule for ties."""

    text: str
    tie: str


_TEXT = {
    OUTER: """
        apertus1p5_text: apertus1p5; aria_text: aria; cohere_compass_text: cohere_compass
        qwen3_vl_text: cosmos3_omni qwen3_vl; deepseek_ocr2_text: deepseek_ocr2; dots3_note_text: dots3_note
        emu3_text_model: emu3; exaone4: exaone4_5; persimmon: fuyu; glm4v_text: glm46v glmga
        glm5_next_text: glm5_next; granite4_vision_text: granite4_vision; hy_v4_vl_text: hy_v4_vl
        mistral: idefics2; llama: idefics3 llava_next smolvlm video_llava vipllava
        qwen3_5_text: minicpmv4_6 minicpmv4_7 qwen3_5; mistral_large4_text: mistral_large4
        muse_glimmer_text: muse_glimmer; qwen3: qianfan_ocr; qwen2_5_omni_text: qwen2_5_omni_thinker
        qwen3_5_moe_text: qwen3_5_moe; qwen3_omni_moe_text: qwen3_omni_moe_thinker
        qwen3_vl_moe_text: qwen3_vl_moe; qwen4_exp_text: qwen4_exp; step3p5: step3p7
        unlimited_ocr_text: unlimited_ocr
    """,
    NEVER: """
        qwen2: audioflamingo3 musicflamingo qwen2_audio vibevoice_asr; cosmos3_edge_text: cosmos3_edge
        inkling_text: inkling_mm_model; mllama_text_model: mllama; molmo2_text: molmo2
        muse_spark_text: muse_spark; nemotron_h: nemo_speechlm nemotron_h_omni; llama: omniasr voxtral
        qwen2_5_omni_text: qwen2_5_omni; qwen3_omni_moe_text: qwen3_omni_moe
    """,
    OUTER_TIED: """
        cohere2: aya_vision cohere2_vision; llama: deepseek_vl deepseek_vl_hybrid glmasr janus
        ernie4_5_vl_moe_text: ernie4_5_vl_moe
        qwen3: fun_asr_nano lighton_ocr moss_transcribe_diarize qwen3_asr; gemma3_text: gemma3
        gemma3n_text: gemma3n; gemma4_text: gemma4; gemma4_unified_text: gemma4_unified
        qwen2: got_ocr2 internvl pp_chart2table; granite_docling_text: granite_docling
        granite: granite_speech granite_speech_plus; hyperclovax: hyperclovax_vision_v2
        deepseek_v3: kimi_k25; lfm2: lfm2_vl; lfm3: lfm3_vl; qwen3_5_text: minicpm_ocr; mistral: mistral3
        gemma: paligemma; voxtral_realtime_text: voxtral_realtime
    """,
    INNER_TIED: "opt: blip-2 instructblip instructblipvideo; kosmos_2_5_text_model: kosmos-2.5",
    EITHER: """
        qwen2: fast_vlm llava_onevision video_llama_3; glm4v_text: glm4v; glm4v_moe_text: glm4v_moe
        glm_ocr_text: glm_ocr; llama: llava llava_next_video; minimax_m3_vl_text: minimax_m3_vl
        qwen2_5_vl_text: qwen2_5_vl; qwen2_vl_text: qwen2_vl
    """,
    BOTH_UNTIED: """
        hunyuan_vl_text: hunyuan_vl; kosmos_2_text_model: kosmos-2; paddleocr_vl_text: paddleocr_vl
    """,
    INNER: "llama4_text: llama4",
    "111111???": "qwen2: ovis2; diffusion_gemma_text: diffusion_gemma",  # else other matrices too
    "010111000": "llama: perception_lm",
    "110111110": "gemma3_text: shieldgemma2",
}  # fmt: skip


def _rows() -> dict[str, Nested]:
    found = {}
    for rule, text in _TEXT.items():
        for line in text.replace("\n", ";").split(";"):
            decoder, _, families = line.partition(":")
            found.update({family: Nested(decoder.strip(), rule) for family in families.split()})
    return found


NESTED = _rows()
# Releases whose defaults are not those of the text decoder's class, so that these fields must be stated.
MUST_STATE = {
    "glmasr": "hidden_size intermediate_size num_attention_heads num_hidden_layers num_key_value_heads "
    "vocab_size",
    "step3p7": "n_routed_experts",
}
MUST_STATE["voxtral"] = MUST_STATE["voxtral_realtime"] = f"{MUST_STATE['glmasr']} head_dim"
DRAFTERS = frozenset({"gemma4_assistant", "gemma4_unified_assistant"})  # heads that draft for another model
FLAT = frozenset({"qwen2_vl", "qwen2_5_vl"})  # whose first releases hold all fields at the top
