"""Write ``recalled.jsonl``: shapes of releases, recalled, with the arbiter's counts: ``python make_recalled.py FOLDER``.

That a shape is recalled does not matter to the test, which compares two counts of one config.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import arbiter
import forked


def c(family: str, **fields: Any) -> dict[str, Any]:
    """Return a config."""
    return {"model_type": family, **fields}


def s(d: int, f: int, layers: int, heads: int, kv: int, vocab: int, **fields: Any) -> dict[str, Any]:
    """Return the sizes of a decoder in the common vocabulary."""
    return {
        "hidden_size": d, "intermediate_size": f, "num_hidden_layers": layers, "num_attention_heads": heads,
        "num_key_value_heads": kv, "vocab_size": vocab, **fields,
    }  # fmt: skip


RELEASES = {
    "gpt2-xl": c("gpt2", n_embd=1600, n_layer=48, n_head=25, n_positions=1024, vocab_size=50257),
    "gpt2-medium": c("gpt2", n_embd=1024, n_layer=24, n_head=16),
    "gpt-neo-2.7b": c("gpt_neo", hidden_size=2560, num_layers=32, num_heads=20, attention_types=[[["global", "local"], 16]], vocab_size=50257),
    "pythia-70m": c("gpt_neox", hidden_size=512, num_hidden_layers=6, num_attention_heads=8, intermediate_size=2048, vocab_size=50304),
    "dolly-v2-3b": c("gpt_neox", hidden_size=2560, num_hidden_layers=32, num_attention_heads=32, intermediate_size=10240, vocab_size=50280),
    "opt-350m": c("opt", hidden_size=1024, word_embed_proj_dim=512, num_hidden_layers=24, num_attention_heads=16, ffn_dim=4096, do_layer_norm_before=False, vocab_size=50272),
    "opt-66b": c("opt", hidden_size=9216, word_embed_proj_dim=9216, num_hidden_layers=64, num_attention_heads=72, ffn_dim=36864),
    "bloom-560m": c("bloom", hidden_size=1024, n_layer=24, n_head=16, vocab_size=250880),
    "bloom-7b1": c("bloom", n_embed=4096, n_layer=30, num_attention_heads=32, vocab_size=250880),
    "falcon-7b": c("falcon", hidden_size=4544, num_hidden_layers=32, num_attention_heads=71, vocab_size=65024, multi_query=True, parallel_attn=True, bias=False, new_decoder_architecture=False, alibi=False),
    "falcon-40b": c("falcon", hidden_size=8192, num_hidden_layers=60, num_attention_heads=128, num_kv_heads=8, vocab_size=65024, new_decoder_architecture=True, parallel_attn=True, bias=False),
    "falcon-180b": c("falcon", hidden_size=14848, num_hidden_layers=80, num_attention_heads=232, num_kv_heads=8, vocab_size=65024, new_decoder_architecture=True),
    "falcon-rw-1b": c("falcon", hidden_size=2048, num_hidden_layers=24, num_attention_heads=32, vocab_size=50304, multi_query=False, parallel_attn=False, bias=True, alibi=True),
    "falcon-11b": c("falcon", hidden_size=4096, num_hidden_layers=60, num_attention_heads=32, num_kv_heads=8, vocab_size=65024, new_decoder_architecture=True, num_ln_in_parallel_attn=1, ffn_hidden_size=16384),
    "mpt-7b": c("mpt", d_model=4096, n_heads=32, n_layers=32, vocab_size=50432, expansion_ratio=4, no_bias=True),
    "mpt-30b": c("mpt", d_model=7168, n_heads=64, n_layers=48, vocab_size=50432, max_seq_len=8192),
    "santacoder": c("gpt_bigcode", n_embd=2048, n_layer=24, n_head=16, n_inner=8192, n_positions=2048, vocab_size=49280, multi_query=True),
    "starcoder": c("gpt_bigcode", n_embd=6144, n_layer=40, n_head=48, n_inner=24576, n_positions=8192, vocab_size=49152),
    "starcoder2-15b": c("starcoder2", **s(6144, 24576, 40, 48, 4, 49152), use_bias=True, tie_word_embeddings=False),
    "codegen-350m": c("codegen", n_embd=1024, n_layer=20, n_head=16, n_positions=2048, vocab_size=51200, rotary_dim=32),
    "gpt-j-6b": c("gptj", n_embd=4096, n_layer=28, n_head=16, rotary_dim=64, vocab_size=50400),
    "stablelm-2-1.6b": c("stablelm", **s(2048, 5632, 24, 32, 32, 100352), use_qkv_bias=True),
    "stablelm-2-12b": c("stablelm", **s(5120, 13824, 40, 32, 8, 100352), qk_layernorm=True, use_parallel_residual=True),
    "stablelm-zephyr-3b": c("stablelm", **s(2560, 6912, 32, 32, 32, 50304)),
    "phi-1_5": c("phi", **s(2048, 8192, 24, 32, 32, 51200), partial_rotary_factor=0.5),
    "phi-2": c("phi", **s(2560, 10240, 32, 32, 32, 51200), partial_rotary_factor=0.4),
    "phi-3.5-moe": c("phimoe", **s(4096, 6400, 32, 32, 8, 32064), num_local_experts=16, num_experts_per_tok=2, attention_bias=True, lm_head_bias=True),
    "mamba-2.8b": c("mamba", hidden_size=2560, num_hidden_layers=64, state_size=16, vocab_size=50280, expand=2, time_step_rank=160),
    "falcon-mamba-7b": c("falcon_mamba", hidden_size=4096, num_hidden_layers=64, state_size=16, vocab_size=65024, tie_word_embeddings=False, expand=16, intermediate_size=8192),
    "mamba-codestral-7b": c("mamba2", hidden_size=4096, num_hidden_layers=64, num_heads=128, head_dim=64, n_groups=8, state_size=128, vocab_size=32768, tie_word_embeddings=False),
    "mamba2-1.3b": c("mamba2", hidden_size=2048, num_hidden_layers=48, num_heads=64, head_dim=64, n_groups=1, state_size=128, vocab_size=50288, tie_word_embeddings=True),
    "recurrentgemma-2b": c("recurrent_gemma", hidden_size=2560, intermediate_size=15360, num_hidden_layers=26, num_attention_heads=10, num_key_value_heads=1, vocab_size=256000, lru_width=2560),
    "recurrentgemma-9b": c("recurrent_gemma", hidden_size=4096, intermediate_size=24576, num_hidden_layers=38, num_attention_heads=16, num_key_value_heads=1, vocab_size=256000, lru_width=4096),
    "olmo-7b": c("olmo", **s(4096, 11008, 32, 32, 32, 50304)),
    "olmo-2-13b": c("olmo2", **s(5120, 13824, 40, 40, 40, 100352)),
    "olmo-3-32b": c("olmo3", **s(5120, 27648, 64, 40, 8, 100278)),
    "olmoe-1b-7b": c("olmoe", **s(2048, 1024, 16, 16, 16, 50304), num_experts=64, num_experts_per_tok=8),
    "minitron-8b": c("nemotron", **s(4096, 16384, 32, 48, 8, 256000), head_dim=128),
    "nemotron-4-340b": c("nemotron", **s(18432, 73728, 96, 96, 8, 256000)),
    "nemotron-h-8b": c("nemotron_h", hidden_size=4096, intermediate_size=21504, num_hidden_layers=52, num_attention_heads=32, num_key_value_heads=8, head_dim=128, vocab_size=131072, ssm_state_size=128, mamba_num_heads=128, mamba_head_dim=64, n_groups=8, hybrid_override_pattern="M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M-"),
    "granite-3.0-3b-a800m": c("granitemoe", **s(1536, 512, 32, 24, 8, 49155), num_local_experts=40, num_experts_per_tok=8, tie_word_embeddings=True),
    "granite-4.0-tiny": c("granitemoehybrid", **s(1536, 512, 40, 12, 4, 100352), num_local_experts=64, num_experts_per_tok=6, shared_intermediate_size=1024, mamba_n_heads=48, mamba_d_head=64, mamba_d_state=128, mamba_n_groups=1, tie_word_embeddings=True, layer_types=(["mamba"] * 5 + ["attention"] + ["mamba"] * 4) * 4),
    "granite-4.0-h-micro": c("granitemoehybrid", **s(2048, 8192, 40, 32, 8, 100352), num_local_experts=0, num_experts_per_tok=0, shared_intermediate_size=8192, mamba_n_heads=64, mamba_d_head=64, mamba_d_state=128, tie_word_embeddings=True, layer_types=(["mamba"] * 5 + ["attention"] + ["mamba"] * 4) * 4),
    "xglm-7.5b": c("xglm", d_model=4096, ffn_dim=16384, num_layers=32, attention_heads=32, vocab_size=256008, max_position_embeddings=2048),
    "biogpt-large": c("biogpt", hidden_size=1600, intermediate_size=6400, num_hidden_layers=48, num_attention_heads=25, vocab_size=57717, max_position_embeddings=2048),
    "helium-1-2b": c("helium", **s(2048, 8192, 24, 16, 8, 64000), head_dim=128),
    "glm-4-9b": c("glm", **s(4096, 13696, 40, 32, 2, 151552), head_dim=128, attention_bias=True),
    "glm-z1-32b": c("glm4", **s(6144, 23040, 61, 48, 2, 151552), head_dim=128),
    "glm-4.5-air": c("glm4_moe", **s(4096, 10944, 46, 96, 8, 151552), head_dim=128, attention_bias=True, n_routed_experts=128, n_shared_experts=1, num_experts_per_tok=8, moe_intermediate_size=1408, first_k_dense_replace=1, use_qk_norm=False, num_nextn_predict_layers=1),
    "c4ai-command-r-v01": c("cohere", **s(8192, 22528, 40, 64, 64, 256000)),
    "c4ai-command-r-plus": c("cohere", **s(12288, 33792, 64, 96, 8, 256000), use_qk_norm=True),
    "command-r7b": c("cohere2", **s(4096, 14336, 32, 32, 8, 256000), sliding_window=4096),
    "dbrx-132b": c("dbrx", d_model=6144, n_heads=48, n_layers=40, max_seq_len=32768, vocab_size=100352, attn_config={"kv_n_heads": 8, "rope_theta": 500000.0, "clip_qkv": 8}, ffn_config={"hidden_size": 6144, "ffn_hidden_size": 10752, "moe_num_experts": 16, "moe_top_k": 4}),
    "persimmon-8b": c("persimmon", **s(4096, 16384, 36, 64, 64, 262144), qk_layernorm=True),
    "jamba-1.5-large": c("jamba", **s(8192, 24576, 72, 64, 8, 65536), num_experts=16, num_experts_per_tok=2, attn_layer_period=8, attn_layer_offset=4, expert_layer_period=2, expert_layer_offset=1, mamba_d_state=16, mamba_d_conv=4, mamba_expand=2, mamba_dt_rank=512),
    "zamba2-7b": c("zamba2", hidden_size=3584, num_hidden_layers=81, num_attention_heads=32, mamba_ngroups=2, mamba_d_state=64, n_mamba_heads=112, num_mem_blocks=2, use_shared_attention_adapter=False, adapter_rank=128, use_mem_rope=True, vocab_size=32000, layers_block_type=[("hybrid" if i in (6, 11, 17, 23, 29, 35, 41, 47, 53, 59, 65, 71, 77) else "mamba") for i in range(81)]),
    "zamba2-1.2b": c("zamba2", hidden_size=2048, num_hidden_layers=38, num_attention_heads=32, mamba_ngroups=1, mamba_d_state=128, n_mamba_heads=64, num_mem_blocks=1, use_shared_attention_adapter=True, adapter_rank=128, vocab_size=32000, layers_block_type=[("hybrid" if i in (5, 11, 17, 23, 29, 35) else "mamba") for i in range(38)]),
    "falcon-h1-34b": c("falcon_h1", **s(5120, 21504, 72, 20, 4, 261120), head_dim=128, mamba_d_ssm=4096, mamba_n_heads=32, mamba_d_head=128, mamba_n_groups=2, mamba_d_state=256, mamba_d_conv=4),
    "falcon-h1-0.5b": c("falcon_h1", **s(1024, 2048, 36, 8, 2, 32784), head_dim=64, mamba_d_ssm=1536, mamba_n_heads=24, mamba_d_head=64, mamba_n_groups=1, mamba_d_state=128, mamba_d_conv=4),
    "bamba-9b": c("bamba", **s(4096, 14336, 32, 32, 8, 128256), attn_layer_indices=[9, 18, 27], mamba_n_heads=128, mamba_d_head=64, mamba_d_state=128, mamba_n_groups=1),
    "exaone-4.0-32b": c("exaone4", **s(5120, 27392, 64, 40, 8, 102400), head_dim=128, sliding_window=4096, sliding_window_pattern="LLLG", layer_types=[("full_attention" if i % 4 == 3 else "sliding_attention") for i in range(64)]),
    "exaone-4.0-1.2b": c("exaone4", **s(2048, 4096, 30, 32, 8, 102400), head_dim=64, sliding_window=None, sliding_window_pattern=None, layer_types=["full_attention"] * 30, tie_word_embeddings=True),
    "ernie-4.5-0.3b": c("ernie4_5", **s(1024, 3072, 18, 16, 2, 103424), head_dim=128, use_bias=False, tie_word_embeddings=True),
    "ernie-4.5-21b-a3b": c("ernie4_5_moe", **s(2560, 12288, 28, 20, 4, 103424), moe_num_experts=64, moe_k=6, moe_intermediate_size=1536, moe_num_shared_experts=2, moe_layer_start_index=1, tie_word_embeddings=True),
    "hunyuan-7b": c("hunyuan_v1_dense", **s(4096, 14336, 32, 32, 8, 128167), head_dim=128, use_qk_norm=True, tie_word_embeddings=True),
    "lfm2-2.6b": c("lfm2", hidden_size=2048, num_hidden_layers=30, num_attention_heads=32, num_key_value_heads=8, vocab_size=65536, block_dim=2048, block_ff_dim=10752, block_multiple_of=256, block_ffn_dim_multiplier=1.0, block_auto_adjust_ff_dim=True, conv_L_cache=3, full_attn_idxs=[2, 5, 9, 13, 17, 21, 25, 28]),
    "lfm2-8b-a1b": c("lfm2_moe", **s(2048, 7168, 24, 32, 8, 65536), moe_intermediate_size=1792, num_experts=32, num_experts_per_tok=4, num_dense_layers=2, layer_types=[("full_attention" if i in (2, 6, 10, 14, 18, 21) else "conv") for i in range(24)]),
    "qwen3-next-80b-a3b": c("qwen3_next", **s(2048, 5120, 48, 16, 2, 151936), head_dim=256, num_experts=512, num_experts_per_tok=10, moe_intermediate_size=512, shared_expert_intermediate_size=512, full_attention_interval=4),
    "minimax-text-01": c("minimax", **s(6144, 9216, 80, 64, 8, 200064), head_dim=128, num_local_experts=32, num_experts_per_tok=2, layer_types=["full_attention" if (i + 1) % 8 == 0 else "linear_attention" for i in range(80)]),
    "gemma-3-270m": c("gemma3_text", **s(640, 2048, 18, 4, 1, 262144), head_dim=256, sliding_window=512),
    "gemma-3n-e2b": c("gemma3n_text", hidden_size=2048, intermediate_size=8192, num_hidden_layers=30, num_attention_heads=8, num_key_value_heads=2, head_dim=256, vocab_size=262400, num_kv_shared_layers=10, vocab_size_per_layer_input=262144, hidden_size_per_layer_input=256),
    "vaultgemma-1b": c("vaultgemma", **s(1152, 6912, 26, 4, 4, 256000), head_dim=256),
    "qwen2.5-72b": c("qwen2", **s(8192, 29568, 80, 64, 8, 152064)),
    "qwen1.5-moe-a2.7b": c("qwen2_moe", **s(2048, 5632, 24, 16, 16, 151936), moe_intermediate_size=1408, shared_expert_intermediate_size=5632, num_experts=60, num_experts_per_tok=4),
    "mistral-7b-v0.3": c("mistral", **s(4096, 14336, 32, 32, 8, 32768)),
    "mixtral-8x22b": c("mixtral", **s(6144, 16384, 56, 48, 8, 32768), num_local_experts=8, num_experts_per_tok=2),
    "bitnet-b1.58-2b": c("bitnet", **s(2560, 6912, 30, 20, 5, 128256), tie_word_embeddings=True),
    "jetmoe-8b": c("jetmoe", hidden_size=2048, num_hidden_layers=24, num_key_value_heads=16, kv_channels=128, intermediate_size=5632, num_local_experts=8, num_experts_per_tok=2, vocab_size=32000),
    "flexolmo-7x7b": c("flex_olmo", **s(4096, 11008, 32, 32, 32, 100352), num_experts=7, num_experts_per_tok=5),
    "doge-160m": c("doge", **s(768, 1536, 24, 6, 3, 32768), tie_word_embeddings=True),
    "moonlight-16b-a3b": c("deepseek_v3", **s(2048, 11264, 27, 16, 16, 163840), q_lora_rank=None, kv_lora_rank=512, qk_rope_head_dim=64, qk_nope_head_dim=128, v_head_dim=128, n_routed_experts=64, n_shared_experts=2, num_experts_per_tok=6, moe_intermediate_size=1408, first_k_dense_replace=1, n_group=1, topk_group=1),
    "deepseek-v2-lite": c("deepseek_v2", **s(2048, 10944, 27, 16, 16, 102400), q_lora_rank=None, kv_lora_rank=512, qk_rope_head_dim=64, qk_nope_head_dim=128, v_head_dim=128, n_routed_experts=64, n_shared_experts=2, num_experts_per_tok=6, moe_intermediate_size=1408, first_k_dense_replace=1),
    "minicpm3-4b": c("minicpm3", **s(2560, 6400, 62, 40, 40, 73448), q_lora_rank=768, kv_lora_rank=256, qk_nope_head_dim=64, qk_rope_head_dim=32, v_head_dim=64),
    "xlstm-7b": c("xlstm", hidden_size=4096, embedding_dim=4096, num_hidden_layers=32, num_blocks=32, num_heads=8, vocab_size=50304),
    "rwkv-4-169m": c("rwkv", hidden_size=768, num_hidden_layers=12, vocab_size=50277, attention_hidden_size=768, intermediate_size=3072),
    "gemma-4-31b": c("gemma4_text", **s(5376, 21504, 60, 32, 16, 262144), head_dim=256, global_head_dim=512, num_global_key_value_heads=4, attention_k_eq_v=True, hidden_size_per_layer_input=0, sliding_window=1024),
    "llava-1.5-7b": c("llava", text_config=c("llama", vocab_size=32064), tie_word_embeddings=False),
    "internvl3-8b": c("internvl", text_config=c("qwen2", **s(3584, 18944, 28, 28, 4, 151674)), tie_word_embeddings=False),
    "paligemma2-3b": c("paligemma", text_config=c("gemma2", **s(2304, 9216, 26, 8, 4, 257216), head_dim=256), hidden_size=2304),
    "llava, the outer flag ties": c("llava", tie_word_embeddings=True, text_config=c("llama", **s(4096, 14336, 32, 32, 8, 128256), tie_word_embeddings=False)),
    "qwen2-vl-7b": c("qwen2_vl", **s(3584, 18944, 28, 28, 4, 152064), tie_word_embeddings=False),
    "qwen2.5-omni-7b": c("qwen2_5_omni", thinker_config={"text_config": {"model_type": "qwen2_5_omni_text", **s(3584, 18944, 28, 28, 4, 152064)}}),
    "gemma-3-27b-it": c("gemma3", text_config=c("gemma3_text", **s(5376, 21504, 62, 32, 16, 262208), head_dim=128)),
    "smolvlm-2.2b": c("smolvlm", text_config=c("llama", **s(2048, 8192, 24, 32, 32, 49280), head_dim=64), tie_word_embeddings=False),
}  # fmt: skip


def main() -> None:
    """Count every release."""
    folder = Path(sys.argv[1])
    kinds = arbiter.types()

    def work(name: str) -> dict[str, object]:
        config = {**RELEASES[name], "architectures": [kinds[RELEASES[name]["model_type"]]["class"]]}
        return {
            "type": config["model_type"],
            "variant": f"recalled: {name}",
            "config": config,
            **arbiter.count(config),
        }

    with open(folder / "recalled.jsonl", "w", encoding="utf-8") as file:
        for name, result, error in forked.each(RELEASES, work):
            if error:
                print(name, error, flush=True)
            else:
                file.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
