"""What a config leaves out: the sizes that its class in transformers 5.24.0 has then.

Sizes alone, and none that its class takes from another one: what is a matter of yes and no stands where it is read. A
test holds them to the classes themselves: tests/cli/importing/test_architectures.py.
"""

from __future__ import annotations

from collections.abc import Mapping

_SIZES = {
    "llama": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 intermediate_size 11008 vocab_size "
        "32000 max_position_embeddings 2048",
    "mistral": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 num_key_value_heads 8 "
        "intermediate_size 14336 vocab_size 32000 max_position_embeddings 131072 sliding_window 4096",
    "ministral": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 num_key_value_heads 8 "
        "intermediate_size 14336 vocab_size 32000 max_position_embeddings 131072 sliding_window 4096",
    "ministral3": "hidden_size 4096 num_hidden_layers 34 num_attention_heads 32 num_key_value_heads 8 head_dim 128 "
        "intermediate_size 14336 vocab_size 131072 max_position_embeddings 262144",
    "cwm": "hidden_size 6144 num_hidden_layers 64 num_attention_heads 48 num_key_value_heads 8 head_dim 128 "
        "intermediate_size 21504 vocab_size 128256 max_position_embeddings 131072 sliding_window 8192",
    "mixtral": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 num_key_value_heads 8 "
        "intermediate_size 14336 vocab_size 32000 max_position_embeddings 131072 num_local_experts 8 "
        "num_experts_per_tok 2",
    "qwen2": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 num_key_value_heads 32 "
        "intermediate_size 22016 vocab_size 151936 max_position_embeddings 32768",
    "qwen3": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 num_key_value_heads 32 head_dim 128 "
        "intermediate_size 22016 vocab_size 151936 max_position_embeddings 32768",
    "qwen2_moe": "hidden_size 2048 num_hidden_layers 24 num_attention_heads 16 num_key_value_heads 16 "
        "intermediate_size 5632 vocab_size 151936 max_position_embeddings 32768 num_experts 60 "
        "num_experts_per_tok 4 moe_intermediate_size 1408 shared_expert_intermediate_size 5632",
    "qwen3_moe": "hidden_size 2048 num_hidden_layers 24 num_attention_heads 32 num_key_value_heads 4 "
        "intermediate_size 6144 vocab_size 151936 max_position_embeddings 32768 num_local_experts 128 "
        "num_experts_per_tok 8 moe_intermediate_size 768",
    "gemma": "hidden_size 3072 num_hidden_layers 28 num_attention_heads 16 num_key_value_heads 16 head_dim 256 "
        "intermediate_size 24576 vocab_size 256000 max_position_embeddings 8192",
    "gemma2": "hidden_size 2304 num_hidden_layers 26 num_attention_heads 8 num_key_value_heads 4 head_dim 256 "
        "intermediate_size 9216 vocab_size 256000 max_position_embeddings 8192 sliding_window 4096",
    "gemma3_text": "hidden_size 2304 num_hidden_layers 26 num_attention_heads 8 num_key_value_heads 4 head_dim 256 "
        "intermediate_size 9216 vocab_size 262208 max_position_embeddings 131072 sliding_window 4096",
    "phi": "hidden_size 2048 num_hidden_layers 24 num_attention_heads 32 intermediate_size 8192 vocab_size "
        "51200 max_position_embeddings 2048",
    "phi3": "hidden_size 3072 num_hidden_layers 32 num_attention_heads 32 intermediate_size 8192 vocab_size "
        "32064 max_position_embeddings 4096",
    "phimoe": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 num_key_value_heads 8 "
        "intermediate_size 6400 vocab_size 32064 max_position_embeddings 131072 num_local_experts 16 "
        "num_experts_per_tok 2",
    "olmo": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 intermediate_size 11008 vocab_size "
        "50304 max_position_embeddings 2048",
    "olmo2": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 intermediate_size 11008 vocab_size "
        "50304 max_position_embeddings 2048",
    "olmo3": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 intermediate_size 11008 vocab_size "
        "50304 max_position_embeddings 2048 sliding_window 4096",
    "olmoe": "hidden_size 2048 num_hidden_layers 16 num_attention_heads 16 intermediate_size 2048 vocab_size "
        "50304 max_position_embeddings 4096 num_experts 64 num_experts_per_tok 8",
    "stablelm": "hidden_size 2560 num_hidden_layers 32 num_attention_heads 32 num_key_value_heads 32 "
        "intermediate_size 6912 vocab_size 50304 max_position_embeddings 4096",
    "cohere": "hidden_size 8192 num_hidden_layers 40 num_attention_heads 64 intermediate_size 22528 vocab_size "
        "256000 max_position_embeddings 8192",
    "cohere2": "hidden_size 8192 num_hidden_layers 40 num_attention_heads 64 intermediate_size 22528 vocab_size "
        "256000 max_position_embeddings 8192 sliding_window 4096",
    "smollm3": "hidden_size 2048 num_hidden_layers 36 num_attention_heads 16 num_key_value_heads 4 "
        "intermediate_size 11008 vocab_size 128256 max_position_embeddings 32768",
    "granite": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 intermediate_size 11008 vocab_size "
        "32000 max_position_embeddings 2048",
    "granitemoe": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 intermediate_size 11008 vocab_size "
        "32000 max_position_embeddings 2048 num_local_experts 8 num_experts_per_tok 2",
    "deepseek_v2": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 intermediate_size 11008 vocab_size "
        "102400 max_position_embeddings 2048 moe_intermediate_size 1407 n_routed_experts 64 "
        "n_shared_experts 2 qk_nope_head_dim 128 qk_rope_head_dim 64 v_head_dim 128 kv_lora_rank 512 "
        "q_lora_rank 1536",
    "deepseek_v3": "hidden_size 7168 num_hidden_layers 61 num_attention_heads 128 num_key_value_heads 128 "
        "intermediate_size 18432 vocab_size 129280 max_position_embeddings 4096 num_experts_per_tok 8 "
        "moe_intermediate_size 2048 n_routed_experts 256 n_shared_experts 1 first_k_dense_replace 3 "
        "qk_nope_head_dim 128 qk_rope_head_dim 64 v_head_dim 128 kv_lora_rank 512 q_lora_rank 1536",
    "glm": "hidden_size 4096 num_hidden_layers 40 num_attention_heads 32 num_key_value_heads 2 head_dim 128 "
        "intermediate_size 13696 vocab_size 151552 max_position_embeddings 131072",
    "glm4": "hidden_size 4096 num_hidden_layers 40 num_attention_heads 32 num_key_value_heads 2 head_dim 128 "
        "intermediate_size 13696 vocab_size 151552 max_position_embeddings 131072",
    "glm4_moe": "hidden_size 4096 num_hidden_layers 46 num_attention_heads 96 num_key_value_heads 8 "
        "intermediate_size 10944 vocab_size 151552 max_position_embeddings 131072 num_experts_per_tok 8 "
        "moe_intermediate_size 1408 n_routed_experts 128 n_shared_experts 1 first_k_dense_replace 1",
    "gpt_oss": "hidden_size 2880 num_hidden_layers 36 num_attention_heads 64 num_key_value_heads 8 head_dim 64 "
        "intermediate_size 2880 vocab_size 201088 max_position_embeddings 131072 sliding_window 128 "
        "num_local_experts 128 num_experts_per_tok 4",
    "gpt2": "vocab_size 50257 n_embd 768 n_layer 12 n_head 12 n_positions 1024",
    "gpt_bigcode": "vocab_size 50257 n_embd 768 n_layer 12 n_head 12 n_positions 1024",
    "gpt_neo": "hidden_size 2048 vocab_size 50257 max_position_embeddings 2048 num_layers 24 num_heads 16",
    "gpt_neox": "hidden_size 6144 num_hidden_layers 44 num_attention_heads 64 intermediate_size 24576 vocab_size "
        "50432 max_position_embeddings 2048",
    "gptj": "vocab_size 50400 n_embd 4096 n_layer 28 n_head 16 n_positions 2048",
    "codegen": "vocab_size 50400 n_embd 4096 n_layer 28 n_head 16 n_positions 2048",
    "opt": "hidden_size 768 num_hidden_layers 12 num_attention_heads 12 vocab_size 50272 "
        "max_position_embeddings 2048 ffn_dim 3072",
    "bloom": "hidden_size 64 vocab_size 250880 n_layer 2 n_head 8",
    "falcon": "hidden_size 4544 num_hidden_layers 32 num_attention_heads 71 vocab_size 65024 "
        "max_position_embeddings 2048",
    "mpt": "vocab_size 50368 d_model 2048 n_layers 24 n_heads 16",
    "dbrx": "num_key_value_heads 1 vocab_size 32000 d_model 2048 n_layers 24 n_heads 16",
    "starcoder2": "hidden_size 3072 num_hidden_layers 30 num_attention_heads 24 num_key_value_heads 2 "
        "intermediate_size 12288 vocab_size 49152 max_position_embeddings 4096",
    "nemotron": "hidden_size 6144 num_hidden_layers 32 num_attention_heads 48 intermediate_size 24576 vocab_size "
        "256000 max_position_embeddings 4096",
    "bert": "hidden_size 768 num_hidden_layers 12 num_attention_heads 12 intermediate_size 3072 vocab_size "
        "30522 max_position_embeddings 512 type_vocab_size 2",
    "roberta": "hidden_size 768 num_hidden_layers 12 num_attention_heads 12 intermediate_size 3072 vocab_size "
        "50265 max_position_embeddings 512 type_vocab_size 2",
    "xlm-roberta": "hidden_size 768 num_hidden_layers 12 num_attention_heads 12 intermediate_size 3072 vocab_size "
        "30522 max_position_embeddings 512 type_vocab_size 2",
    "camembert": "hidden_size 768 num_hidden_layers 12 num_attention_heads 12 intermediate_size 3072 vocab_size "
        "30522 max_position_embeddings 512 type_vocab_size 2",
    "modernbert": "hidden_size 768 num_hidden_layers 22 num_attention_heads 12 intermediate_size 1152 vocab_size "
        "50368 max_position_embeddings 8192 local_attention 128",
    "esm": "hidden_size 768 num_hidden_layers 12 num_attention_heads 12 intermediate_size 3072 "
        "max_position_embeddings 1026",
    "electra": "hidden_size 256 num_hidden_layers 12 num_attention_heads 4 intermediate_size 1024 vocab_size "
        "30522 max_position_embeddings 512 embedding_size 128 type_vocab_size 2",
    "deberta": "hidden_size 768 num_hidden_layers 12 num_attention_heads 12 intermediate_size 3072 vocab_size "
        "50265 max_position_embeddings 512",
    "deberta-v2": "hidden_size 1536 num_hidden_layers 24 num_attention_heads 24 intermediate_size 6144 vocab_size "
        "128100 max_position_embeddings 512",
    "distilbert": "vocab_size 30522 max_position_embeddings 512 n_layers 6 n_heads 12 dim 768 hidden_dim 3072",
    "ernie4_5": "hidden_size 1024 num_hidden_layers 18 num_attention_heads 16 num_key_value_heads 2 head_dim 128 "
        "intermediate_size 3072 vocab_size 103424 max_position_embeddings 131072",
    "exaone4": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 num_key_value_heads 32 "
        "intermediate_size 16384 vocab_size 102400 max_position_embeddings 2048 sliding_window 4096",
    "seed_oss": "hidden_size 4096 num_hidden_layers 64 num_attention_heads 80 num_key_value_heads 8 head_dim 128 "
        "intermediate_size 27648 vocab_size 155136 max_position_embeddings 524288",
    "apertus": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 intermediate_size 14336 vocab_size "
        "131072 max_position_embeddings 65536",
    "arcee": "hidden_size 2560 num_hidden_layers 32 num_attention_heads 32 intermediate_size 18432 "
        "vocab_size 32000 max_position_embeddings 4096",
    "helium": "hidden_size 2560 num_hidden_layers 24 num_attention_heads 20 num_key_value_heads 20 head_dim 128 "
        "intermediate_size 7040 vocab_size 48000 max_position_embeddings 4096",
    "persimmon": "hidden_size 4096 num_hidden_layers 36 num_attention_heads 64 intermediate_size 16384 vocab_size "
        "262144 max_position_embeddings 16384",
    "xglm": "vocab_size 256008 max_position_embeddings 2048 d_model 1024 ffn_dim 4096 num_layers 24 "
        "attention_heads 16",
    "llama4_text": "hidden_size 5120 num_hidden_layers 48 num_attention_heads 40 num_key_value_heads 8 head_dim 128 "
        "intermediate_size 8192 vocab_size 202048 max_position_embeddings 131072 num_local_experts 16 "
        "num_experts_per_tok 1 intermediate_size_mlp 16384",
    "hunyuan_v1_dense": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 intermediate_size 11008 "
        "vocab_size 290943 max_position_embeddings 2048",
    "exaone": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 num_key_value_heads 8 "
        "intermediate_size 14336 vocab_size 102400 max_position_embeddings 4096",
    "internlm3": "hidden_size 4096 num_hidden_layers 48 num_attention_heads 32 num_key_value_heads 2 head_dim 128 "
        "intermediate_size 10240 vocab_size 128512 max_position_embeddings 32768",
    "iquestcoder": "hidden_size 5120 num_hidden_layers 80 num_attention_heads 40 num_key_value_heads 8 head_dim 128 "
        "intermediate_size 27648 vocab_size 76800 max_position_embeddings 131072",
    "hyperclovax": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 intermediate_size 11008 "
        "vocab_size 32000 max_position_embeddings 2048",
    "granite_swa": "hidden_size 2560 num_hidden_layers 24 num_attention_heads 20 num_key_value_heads 4 "
        "intermediate_size 8192 vocab_size 100352 max_position_embeddings 8192 sliding_window 128",
    "vaultgemma": "hidden_size 2304 num_hidden_layers 26 num_attention_heads 8 num_key_value_heads 4 head_dim 256 "
        "intermediate_size 9216 vocab_size 256000 max_position_embeddings 8192 sliding_window 4096",
    "bitnet": "hidden_size 2560 num_hidden_layers 30 num_attention_heads 20 num_key_value_heads 5 "
        "intermediate_size 6912 vocab_size 128256 max_position_embeddings 2048",
    "diffllama": "hidden_size 2048 num_hidden_layers 16 num_attention_heads 32 intermediate_size 8192 "
        "vocab_size 32000 max_position_embeddings 2048",
    "granitemoeshared": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 intermediate_size 11008 "
        "vocab_size 32000 max_position_embeddings 2048 num_local_experts 8 num_experts_per_tok 2",
    "dots1": "hidden_size 4608 num_hidden_layers 62 num_attention_heads 32 num_key_value_heads 32 "
        "intermediate_size 10944 vocab_size 152064 max_position_embeddings 2048 sliding_window 4096 "
        "max_window_layers 62 moe_intermediate_size 1408 first_k_dense_replace 0 n_group 1 topk_group 1",
    "sarvam_moe": "hidden_size 4096 num_hidden_layers 19 num_attention_heads 64 num_key_value_heads 4 head_dim 64 "
        "intermediate_size 8192 vocab_size 262144 max_position_embeddings 131072 n_routed_experts 128 "
        "num_experts_per_tok 6 moe_intermediate_size 1024 n_shared_experts 1 first_k_dense_replace 1 n_group 1 "
        "topk_group 1",
    "solar_open": "hidden_size 4096 num_hidden_layers 48 num_attention_heads 64 num_key_value_heads 8 head_dim 128 "
        "vocab_size 196608 max_position_embeddings 131072 n_routed_experts 128 num_experts_per_tok 8 "
        "moe_intermediate_size 1280 n_shared_experts 1 n_group 1 topk_group 1",
    "exaone_moe": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 num_key_value_heads 32 "
        "intermediate_size 16384 vocab_size 102400 max_position_embeddings 2048 sliding_window 4096 num_experts 64 "
        "num_experts_per_tok 8 moe_intermediate_size 1024 num_shared_experts 1 first_k_dense_replace 1 n_group 1 "
        "topk_group 1",
    "hy_v3": "hidden_size 4096 num_hidden_layers 80 num_attention_heads 64 num_key_value_heads 8 head_dim 128 "
        "intermediate_size 13312 vocab_size 120832 max_position_embeddings 131072 num_experts 192 "
        "num_experts_per_tok 8 moe_intermediate_size 1536 num_shared_experts 1",
    "mellum": "hidden_size 2304 num_hidden_layers 28 num_attention_heads 32 num_key_value_heads 4 head_dim 128 "
        "intermediate_size 7168 vocab_size 98304 max_position_embeddings 131072 sliding_window 1024 "
        "num_local_experts 64 num_experts_per_tok 8 moe_intermediate_size 896",
    "kolibri1": "hidden_size 2560 num_hidden_layers 50 num_attention_heads 48 num_key_value_heads 4 head_dim 128 "
        "vocab_size 128000 max_position_embeddings 262144 sliding_window 513 num_local_experts 384 "
        "num_experts_per_tok 6 moe_intermediate_size 512 shared_expert_intermediate_size 512",
    "afmoe": "hidden_size 2048 num_hidden_layers 32 num_attention_heads 16 head_dim 128 intermediate_size 6144 "
        "vocab_size 200192 max_position_embeddings 16384 sliding_window 1024 num_experts 64 num_experts_per_tok 6 "
        "moe_intermediate_size 1408 num_shared_experts 2 num_dense_layers 1",
    "laguna": "hidden_size 2048 num_hidden_layers 40 num_attention_heads 48 num_key_value_heads 8 head_dim 128 "
        "intermediate_size 8192 vocab_size 100352 max_position_embeddings 131072 sliding_window 512 num_experts 256 "
        "num_experts_per_tok 8 moe_intermediate_size 512 shared_expert_intermediate_size 512",
    "minimax_m2": "hidden_size 3072 num_hidden_layers 62 num_attention_heads 48 num_key_value_heads 8 head_dim 128 "
        "intermediate_size 1536 vocab_size 200064 max_position_embeddings 196608 num_local_experts 256 "
        "num_experts_per_tok 8",
    "ernie4_5_moe": "hidden_size 2560 num_hidden_layers 28 num_attention_heads 20 num_key_value_heads 4 "
        "intermediate_size 12288 vocab_size 103424 max_position_embeddings 131072 moe_num_experts 64 moe_k 6 "
        "moe_intermediate_size 1536 moe_num_shared_experts 2 moe_layer_start_index 1 moe_layer_interval 1",
    "aria_text": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 intermediate_size 4096 "
        "vocab_size 32000 max_position_embeddings 2048 moe_num_experts 8 moe_topk 2 moe_num_shared_experts 2",
    "cohere2_moe": "hidden_size 8192 num_hidden_layers 40 num_attention_heads 64 head_dim 128 "
        "intermediate_size 22528 vocab_size 256000 max_position_embeddings 8192 sliding_window 4096 num_experts 8 "
        "num_experts_per_tok 2 num_shared_experts 0",
    "flex_olmo": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 intermediate_size 11008 "
        "vocab_size 100352 max_position_embeddings 4096 num_experts 7 num_experts_per_tok 5",
    "granitemoe_swa": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 intermediate_size 11008 "
        "vocab_size 32000 max_position_embeddings 2048 sliding_window 128 num_local_experts 8 num_experts_per_tok 2",
    "hunyuan_v1_moe": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 intermediate_size 11008 "
        "vocab_size 290943 max_position_embeddings 2048 num_experts 1 moe_topk 1",
    "deepseek_v32": "hidden_size 7168 num_hidden_layers 61 num_attention_heads 128 num_key_value_heads 128 "
        "intermediate_size 18432 vocab_size 129280 max_position_embeddings 163840 n_routed_experts 256 "
        "num_experts_per_tok 8 moe_intermediate_size 2048 n_shared_experts 1 first_k_dense_replace 3 "
        "qk_nope_head_dim 128 qk_rope_head_dim 64 v_head_dim 128 kv_lora_rank 512 q_lora_rank 1536 index_n_heads 64 "
        "index_head_dim 128 n_group 8 topk_group 4",
    "glm4_moe_lite": "hidden_size 2048 num_hidden_layers 47 num_attention_heads 20 num_key_value_heads 20 "
        "intermediate_size 10240 vocab_size 154880 max_position_embeddings 202752 n_routed_experts 64 "
        "num_experts_per_tok 4 moe_intermediate_size 1536 n_shared_experts 1 qk_nope_head_dim 192 "
        "qk_rope_head_dim 64 v_head_dim 256 kv_lora_rank 512 q_lora_rank 768 n_group 1 topk_group 1",
    "glm_moe_dsa": "hidden_size 6144 num_hidden_layers 78 num_attention_heads 64 num_key_value_heads 64 "
        "intermediate_size 12288 vocab_size 154880 max_position_embeddings 202752 n_routed_experts 256 "
        "num_experts_per_tok 8 moe_intermediate_size 2048 n_shared_experts 1 first_k_dense_replace 3 "
        "qk_nope_head_dim 192 qk_rope_head_dim 64 v_head_dim 256 kv_lora_rank 512 q_lora_rank 2048 index_n_heads 32 "
        "index_head_dim 128 n_group 1 topk_group 1",
    "axk1": "hidden_size 7168 num_hidden_layers 61 num_attention_heads 64 num_key_value_heads 64 "
        "intermediate_size 18432 vocab_size 163840 max_position_embeddings 32768 n_routed_experts 192 "
        "num_experts_per_tok 8 moe_intermediate_size 2048 n_shared_experts 1 qk_nope_head_dim 128 "
        "qk_rope_head_dim 64 v_head_dim 128 kv_lora_rank 512 q_lora_rank 1536 n_group 8 topk_group 4",
    "sarvam_mla": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 64 intermediate_size 16384 "
        "vocab_size 262144 max_position_embeddings 4096 n_routed_experts 128 num_experts_per_tok 8 "
        "moe_intermediate_size 2048 n_shared_experts 1 first_k_dense_replace 1 qk_nope_head_dim 128 "
        "qk_rope_head_dim 64 v_head_dim 128 kv_lora_rank 512 n_group 1 topk_group 1",
    "minicpm3": "hidden_size 2560 num_hidden_layers 62 num_attention_heads 40 num_key_value_heads 40 "
        "intermediate_size 6400 vocab_size 73448 max_position_embeddings 32768 qk_nope_head_dim 64 "
        "qk_rope_head_dim 32 kv_lora_rank 256 q_lora_rank 768",
    "youtu": "hidden_size 2048 num_hidden_layers 32 num_attention_heads 16 num_key_value_heads 16 "
        "intermediate_size 6144 vocab_size 128256 max_position_embeddings 131072 qk_nope_head_dim 128 "
        "qk_rope_head_dim 64 v_head_dim 128 kv_lora_rank 512 q_lora_rank 1536",
    "gpt-sw3": "vocab_size 50257 n_embd 768 n_layer 12 n_head 12 n_positions 1024",
    "openai-gpt": "vocab_size 40478 n_embd 768 n_layer 12 n_head 12 n_positions 512",
    "biogpt": "hidden_size 1024 num_hidden_layers 24 num_attention_heads 16 intermediate_size 4096 vocab_size 42384 "
        "max_position_embeddings 1024",
    "jais2": "hidden_size 3328 num_hidden_layers 32 num_attention_heads 26 intermediate_size 26624 "
        "vocab_size 150272 max_position_embeddings 8192",
    "nanochat": "hidden_size 768 num_hidden_layers 12 num_attention_heads 6 intermediate_size 8192 vocab_size 50304 "
        "max_position_embeddings 2048",
    "apertus1p5_text": "hidden_size 4096 num_hidden_layers 32 num_attention_heads 32 intermediate_size 14336 "
        "vocab_size 266752 max_position_embeddings 65536",
    "gpt_neox_japanese": "hidden_size 2560 num_hidden_layers 32 num_attention_heads 32 vocab_size 32000 "
        "max_position_embeddings 2048 intermediate_multiple_size 4",
    "modernbert-decoder": "hidden_size 768 num_hidden_layers 22 num_attention_heads 12 intermediate_size 1152 "
        "vocab_size 50368 max_position_embeddings 8192 sliding_window 64 local_attention 128",
    "data2vec-text": "hidden_size 768 num_hidden_layers 12 num_attention_heads 12 intermediate_size 3072 "
        "vocab_size 30522 max_position_embeddings 512 type_vocab_size 2",
    "ernie": "hidden_size 768 num_hidden_layers 12 num_attention_heads 12 intermediate_size 3072 vocab_size 30522 "
        "max_position_embeddings 512 type_vocab_size 2 task_type_vocab_size 3",
    "megatron-bert": "hidden_size 1024 num_hidden_layers 24 num_attention_heads 16 intermediate_size 4096 "
        "vocab_size 29056 max_position_embeddings 512 type_vocab_size 2",
    "xlm-roberta-xl": "hidden_size 2560 num_hidden_layers 36 num_attention_heads 32 intermediate_size 10240 "
        "vocab_size 250880 max_position_embeddings 514 type_vocab_size 1",
    "roberta-prelayernorm": "hidden_size 768 num_hidden_layers 12 num_attention_heads 12 intermediate_size 3072 "
        "vocab_size 50265 max_position_embeddings 512 type_vocab_size 2",
    "mpnet": "hidden_size 768 num_hidden_layers 12 num_attention_heads 12 intermediate_size 3072 vocab_size 30527 "
        "max_position_embeddings 512 relative_attention_num_buckets 32",
    "roformer": "hidden_size 768 num_hidden_layers 12 num_attention_heads 12 intermediate_size 3072 "
        "vocab_size 50000 max_position_embeddings 1536 type_vocab_size 2",
    "eurobert": "hidden_size 768 num_hidden_layers 12 num_attention_heads 12 intermediate_size 3072 "
        "vocab_size 128256 max_position_embeddings 8192",
    "nomic_bert": "hidden_size 768 num_hidden_layers 12 num_attention_heads 12 intermediate_size 3072 "
        "vocab_size 30528 max_position_embeddings 2048 type_vocab_size 2",
    "jina_embeddings_v3": "hidden_size 1024 num_hidden_layers 24 num_attention_heads 16 intermediate_size 4096 "
        "vocab_size 250002 max_position_embeddings 8194 type_vocab_size 1",
    "gte": "hidden_size 768 num_hidden_layers 12 num_attention_heads 12 intermediate_size 3072 vocab_size 250048 "
        "max_position_embeddings 8192 type_vocab_size 1",
}  # fmt: skip


def sizes_of(kind: str) -> Mapping[str, int]:
    """The sizes that a class of transformers has where its config does not say them."""
    words = _SIZES.get(kind, "").split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))
