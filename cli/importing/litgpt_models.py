"""Models by the names of litgpt 0.5.13 where litgpt makes another shape of them than the library has, or it has none.

litgpt keeps two tables unless it is told to tie them, pads vocabularies its own way, and reads Falcon's heads as its
config does. Source: litgpt/config.py; each line was held to the count of the model that litgpt makes, without memory.
"""

from __future__ import annotations

from collections.abc import Mapping

from runplan.cli.importing.imported import Word

# Names, and the fields of a plan's `model`; the context is litgpt's block size.
_SHAPES = (
    ("stablelm-base-alpha-3b stablelm-tuned-alpha-3b",
     "layers 16 hidden 4096 heads 32 ffn 16384 vocab 50688 mlp plain attention_biases all mlp_biases true "
     "norm_biases true context 4096"),
    ("stablelm-base-alpha-7b stablelm-tuned-alpha-7b",
     "layers 16 hidden 6144 heads 48 ffn 24576 vocab 50432 mlp plain attention_biases all mlp_biases true "
     "norm_biases true context 4096"),
    ("stablelm-zephyr-3b",
     "layers 32 hidden 2560 heads 32 ffn 6912 vocab 50304 norm_biases true context 4096"),
    ("stable-code-3b",
     "layers 32 hidden 2560 heads 32 ffn 6912 vocab 50304 norm_biases true context 16384"),
    ("stablecode-completion-alpha-3b",
     "layers 32 hidden 2560 heads 32 ffn 10240 vocab 49152 mlp plain attention_biases all mlp_biases true "
     "norm_biases true context 16384"),
    ("stablecode-completion-alpha-3b-4k stablecode-instruct-alpha-3b",
     "layers 32 hidden 2560 heads 32 ffn 10240 vocab 49152 mlp plain attention_biases all mlp_biases true "
     "norm_biases true context 4096"),
    ("falcon-7b falcon-7b-instruct",
     "layers 32 hidden 4544 heads 71 ffn 18176 vocab 65024 kv_heads 1 mlp plain norm_biases true norms 1 "
     "context 2048"),
    ("falcon-40b falcon-40b-instruct",
     "layers 60 hidden 8192 heads 128 ffn 32768 vocab 65024 kv_heads 8 mlp plain norm_biases true context "
     "2048"),
    ("falcon-180B falcon-180B-chat",
     "layers 80 hidden 14848 heads 232 ffn 59392 vocab 65024 kv_heads 8 mlp plain norm_biases true context "
     "2048"),
    ("open_llama_3b",
     "layers 26 hidden 3200 heads 32 ffn 8640 vocab 32000 context 2048"),
    ("open_llama_7b",
     "layers 32 hidden 4096 heads 32 ffn 11008 vocab 32000 context 2048"),
    ("CodeLlama-7b-Python-hf",
     "layers 32 hidden 4096 heads 32 ffn 11008 vocab 32000 context 16384"),
    ("LLaMA-2-7B-32K Llama-2-7b-chat-hf-function-calling-v2 Platypus2-7B",
     "layers 32 hidden 4096 heads 32 ffn 11008 vocab 32000 context 4096"),
    ("open_llama_13b",
     "layers 40 hidden 5120 heads 40 ffn 13824 vocab 32000 context 2048"),
    ("CodeLlama-13b-Python-hf",
     "layers 40 hidden 5120 heads 40 ffn 13824 vocab 32000 context 16384"),
    ("Camel-Platypus2-13B Platypus2-13B Stable-Platypus2-13B",
     "layers 40 hidden 5120 heads 40 ffn 13824 vocab 32000 context 4096"),
    ("Llama-3.2-1B Llama-3.2-1B-Instruct",
     "layers 16 hidden 2048 heads 32 ffn 8192 vocab 128256 kv_heads 8 context 131072"),
    ("Llama-3.2-3B Llama-3.2-3B-Instruct",
     "layers 28 hidden 3072 heads 24 ffn 8192 vocab 128256 kv_heads 8 context 131072"),
    ("Llama-3.1-Nemotron-70B-Instruct-HF R1-Distill-Llama-70B",
     "layers 80 hidden 8192 heads 64 ffn 28672 vocab 128256 kv_heads 8 context 131072"),
    ("OLMo-1B-hf",
     "layers 16 hidden 2048 heads 16 ffn 8192 vocab 50304 norms 0 final_norm false context 2048"),
    ("OLMo-2-1124-7B-DPO OLMo-2-1124-7B-SFT",
     "layers 32 hidden 4096 heads 32 ffn 11008 vocab 100352 qk_norm full context 4096"),
    ("OLMo-2-1124-13B-DPO OLMo-2-1124-13B-SFT",
     "layers 40 hidden 5120 heads 40 ffn 13824 vocab 100352 qk_norm full context 4096"),
    ("Gemma-2b Gemma-2b-it",
     "layers 18 hidden 2048 heads 8 ffn 16384 vocab 256000 kv_heads 1 context 4096"),
    ("CodeGemma-7b-it Gemma-7b Gemma-7b-it",
     "layers 28 hidden 3072 heads 16 ffn 24576 vocab 256000 head_dim 256 context 4096"),
    ("Gemma-2-2b Gemma-2-2b-it",
     "layers 26 hidden 2304 heads 8 ffn 9216 vocab 256000 kv_heads 4 head_dim 256 norms 4 window 4096 "
     "global_layers 13 context 8192"),
    ("Gemma-2-9b Gemma-2-9b-it",
     "layers 42 hidden 3584 heads 16 ffn 14336 vocab 256000 kv_heads 8 head_dim 256 norms 4 window 4096 "
     "global_layers 21 context 8192"),
    ("Gemma-2-27b Gemma-2-27b-it",
     "layers 46 hidden 4608 heads 32 ffn 36864 vocab 256000 kv_heads 16 head_dim 128 norms 4 window 4096 "
     "global_layers 23 context 8192"),
    ("Gemma-3-1b-it",
     "layers 26 hidden 1152 heads 4 ffn 6912 vocab 262144 kv_heads 1 head_dim 256 norms 4 qk_norm true "
     "window 512 global_layers 4 context 131072"),
    ("Gemma-3-4b-it",
     "layers 34 hidden 2560 heads 8 ffn 10240 vocab 262144 kv_heads 4 head_dim 256 norms 4 qk_norm true "
     "window 1024 global_layers 5 context 131072"),
    ("Gemma-3-12b-it",
     "layers 48 hidden 3840 heads 16 ffn 15360 vocab 262144 kv_heads 8 head_dim 256 norms 4 qk_norm true "
     "window 1024 global_layers 8 context 131072"),
    ("Gemma-3-27b-it",
     "layers 62 hidden 5376 heads 32 ffn 21504 vocab 262144 kv_heads 16 head_dim 128 norms 4 qk_norm true "
     "window 1024 global_layers 10 context 131072"),
    ("Camel-Platypus2-70B FreeWilly2 Platypus2-70B-instruct",
     "layers 80 hidden 8192 heads 64 ffn 28672 vocab 32000 kv_heads 8 context 4096"),
    ("CodeLlama-7b-hf CodeLlama-7b-Instruct-hf",
     "layers 32 hidden 4096 heads 32 ffn 11008 vocab 32016 context 16384"),
    ("CodeLlama-13b-hf",
     "layers 40 hidden 5120 heads 40 ffn 13824 vocab 32016 context 16384"),
    ("CodeLlama-13b-Instruct-hf",
     "layers 40 hidden 5120 heads 40 ffn 13824 vocab 32016 context 2048"),
    ("CodeLlama-70b-hf CodeLlama-70b-Instruct-hf CodeLlama-70b-Python-hf",
     "layers 80 hidden 8192 heads 64 ffn 28672 vocab 32016 kv_heads 8 context 16384"),
    ("CodeLlama-34b-Python-hf",
     "layers 48 hidden 8192 heads 64 ffn 22016 vocab 32000 kv_heads 8 context 16384"),
    ("Platypus-30B",
     "layers 60 hidden 6656 heads 52 ffn 17920 vocab 32000 context 2048"),
    ("Platypus2-70B",
     "layers 80 hidden 8192 heads 64 ffn 28672 vocab 32000 context 4096"),
    ("Phi-3-mini-128k-instruct",
     "layers 32 hidden 3072 heads 32 ffn 8192 vocab 32064 window 262145 context 131072"),
    ("Phi-4-reasoning Phi-4-reasoning-plus",
     "layers 40 hidden 5120 heads 40 ffn 17920 vocab 100352 kv_heads 10 context 32768"),
    ("Phi-4-mini-instruct Phi-4-mini-reasoning",
     "layers 32 hidden 3072 heads 24 ffn 8192 vocab 200064 kv_heads 8 window 262145 context 131072"),
    ("Mathstral-7B-v0.1",
     "layers 32 hidden 4096 heads 32 ffn 14336 vocab 32768 kv_heads 8 window 4096 context 32768"),
    ("Mixtral-8x22B-v0.1",
     "layers 56 hidden 6144 heads 48 ffn 16384 vocab 32768 kv_heads 8 experts 8 active_experts 2 "
     "expert_ffn 16384 context 65536"),
    ("Mistral-7B-Instruct-v0.2 Mistral-7B-v0.2",
     "layers 32 hidden 4096 heads 32 ffn 14336 vocab 32000 kv_heads 8 context 32768"),
    ("Mistral-Large-Instruct-2411",
     "layers 88 hidden 12288 heads 96 ffn 28672 vocab 32768 kv_heads 8 context 32768"),
    ("micro-llama-300M",
     "layers 12 hidden 1024 heads 16 ffn 5632 vocab 32000 kv_heads 4 context 2048"),
    ("Qwen2.5-0.5B Qwen2.5-0.5B-Instruct Qwen2.5-Coder-0.5B Qwen2.5-Coder-0.5B-Instruct",
     "layers 24 hidden 896 heads 14 ffn 4864 vocab 151936 kv_heads 2 attention_biases qkv context 32768"),
    ("Qwen2.5-1.5B Qwen2.5-1.5B-Instruct",
     "layers 28 hidden 1536 heads 12 ffn 8960 vocab 151936 kv_heads 2 attention_biases qkv context 131072"),
    ("Qwen2.5-Coder-1.5B Qwen2.5-Coder-1.5B-Instruct",
     "layers 28 hidden 1536 heads 12 ffn 8960 vocab 151936 kv_heads 2 attention_biases qkv context 32768"),
    ("Qwen2.5-Math-1.5B Qwen2.5-Math-1.5B-Instruct",
     "layers 28 hidden 1536 heads 12 ffn 8960 vocab 151936 kv_heads 2 attention_biases qkv context 4096"),
    ("Qwen2.5-3B Qwen2.5-3B-Instruct Qwen2.5-Coder-3B Qwen2.5-Coder-3B-Instruct",
     "layers 36 hidden 2048 heads 16 ffn 11008 vocab 151936 kv_heads 2 attention_biases qkv context 32768"),
    ("Qwen2.5-Coder-7B Qwen2.5-Coder-7B-Instruct",
     "layers 28 hidden 3584 heads 28 ffn 18944 vocab 152064 kv_heads 4 attention_biases qkv context 32768"),
    ("Qwen2.5-Math-7B Qwen2.5-Math-7B-Instruct",
     "layers 28 hidden 3584 heads 28 ffn 18944 vocab 152064 kv_heads 4 attention_biases qkv context 4096"),
    ("Qwen2.5-7B-Instruct-1M",
     "layers 28 hidden 3584 heads 28 ffn 18944 vocab 152064 kv_heads 4 attention_biases qkv context "
     "1010000"),
    ("Qwen2.5-Coder-14B Qwen2.5-Coder-14B-Instruct",
     "layers 48 hidden 5120 heads 40 ffn 13824 vocab 152064 kv_heads 8 attention_biases qkv context 32768"),
    ("Qwen2.5-14B-Instruct-1M",
     "layers 48 hidden 5120 heads 40 ffn 13824 vocab 152064 kv_heads 8 attention_biases qkv context "
     "1010000"),
    ("Qwen2.5-Coder-32B Qwen2.5-Coder-32B-Instruct QwQ-32B-Preview",
     "layers 64 hidden 5120 heads 40 ffn 27648 vocab 152064 kv_heads 8 attention_biases qkv context 32768"),
    ("Qwen2.5-Math-72B Qwen2.5-Math-72B-Instruct",
     "layers 80 hidden 8192 heads 64 ffn 29568 vocab 152064 kv_heads 8 attention_biases qkv context 4096"),
    ("Qwen3-0.6B Qwen3-0.6B-Base",
     "layers 28 hidden 1024 heads 16 ffn 3072 vocab 151936 kv_heads 8 head_dim 128 qk_norm true context "
     "40960"),
    ("Qwen3-1.7B Qwen3-1.7B-Base",
     "layers 28 hidden 2048 heads 16 ffn 6144 vocab 151936 kv_heads 8 qk_norm true context 40960"),
    ("Qwen3-4B Qwen3-4B-Base",
     "layers 36 hidden 2560 heads 32 ffn 9728 vocab 151936 kv_heads 8 head_dim 128 qk_norm true context "
     "40960"),
    ("Qwen3-4B-Instruct-2507 Qwen3-4B-Thinking-2507",
     "layers 36 hidden 2560 heads 32 ffn 9728 vocab 151936 kv_heads 8 head_dim 128 qk_norm true context "
     "262144"),
    ("Qwen3-235B-A22B-Instruct-2507 Qwen3-235B-A22B-Thinking-2507",
     "layers 94 hidden 4096 heads 64 ffn 12288 vocab 151936 kv_heads 4 head_dim 128 qk_norm true experts "
     "128 active_experts 8 expert_ffn 1536 context 262144"),
    ("Qwen3-30B-A3B-Instruct-2507 Qwen3-30B-A3B-Thinking-2507",
     "layers 48 hidden 2048 heads 32 ffn 6144 vocab 151936 kv_heads 4 head_dim 128 qk_norm true experts "
     "128 active_experts 8 expert_ffn 768 context 262144"),
    ("salamandra-2b salamandra-2b-instruct",
     "layers 24 hidden 2048 heads 16 ffn 5440 vocab 256000 context 8192"),
    ("salamandra-7b salamandra-7b-instruct",
     "layers 32 hidden 4096 heads 32 ffn 11008 vocab 256000 kv_heads 8 context 8192"),
    ("SmolLM2-135M SmolLM2-135M-Instruct",
     "layers 30 hidden 576 heads 9 ffn 1536 vocab 49152 kv_heads 3 context 8192"),
    ("SmolLM2-360M SmolLM2-360M-Instruct",
     "layers 32 hidden 960 heads 15 ffn 2560 vocab 49152 kv_heads 5 context 8192"),
    ("SmolLM2-1.7B SmolLM2-1.7B-Instruct",
     "layers 24 hidden 2048 heads 32 ffn 8192 vocab 49152 context 8192"),
    ("R1-Distill-Llama-8B",
     "layers 32 hidden 4096 heads 32 ffn 14336 vocab 128256 kv_heads 8 context 131072"),
)  # fmt: skip


def shape_of(name: str) -> Mapping[str, Word]:
    """The shape that litgpt makes of a name; empty where the library's is the same, or nobody knows it.

    Folders of checkpoints have the names of the hub, which litgpt writes with a capital where it likes to.
    """
    wanted = name.casefold()
    words = next((fields for names, fields in _SHAPES if wanted in names.casefold().split()), "").split()
    pairs = dict(zip(words[::2], words[1::2], strict=True))
    return {field: f"{word} tokens" if field in ("window", "context") else int(word) if word.isdigit() else word
            for field, word in pairs.items()}  # fmt: skip
