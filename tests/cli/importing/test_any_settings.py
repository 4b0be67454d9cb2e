"""Whatever a setting is of, a configuration is refused in one line or becomes a plan: never a bug of ours."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import settings as set_up
from hypothesis import strategies as st

from runplan.cli.importing.formats import FORMS, read
from runplan.cli.importing.keys import Keys, Unreadable
from runplan.cli.importing.plan_text import plan_of

ADAMW = {"name": "adamw", "lr": 3e-4, "betas": [0.9, 0.95], "eps": 1e-8, "weight_decay": 0.1}
SIZES = {"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 1000}
NORM = {"name": "rms", "bias": False}
# One of each form, by the module that reads it.
TREES: dict[str, dict[str, Any]] = {
    "hf.config": {"model_type": "llama", **SIZES, "num_hidden_layers": 2, "intermediate_size": 128},
    "hf.arguments": {"output_dir": "x", "learning_rate": 1e-4, "max_steps": 100, "warmup_steps": 10, "bf16": True,
                     "num_train_epochs": 2, "lr_scheduler_type": "cosine", "per_device_train_batch_size": 4},
    "torchtitan": {"model": {"name": "llama3", "flavor": "8B"}, "training": {"steps": 100, "seq_len": 64},
                   "optimizer": ADAMW, "lr_scheduler": {"warmup_steps": 10, "decay_ratio": 0.2}},
    "litgpt": {"model_name": "pythia-14m", "precision": "bf16-true", "optimizer": {"init_args": ADAMW},
               "train": {"global_batch_size": 8, "micro_batch_size": 2, "max_tokens": 100_000, "lr_warmup_steps": 2}},
    "nanotron": {
        "model": {"model_config": {"is_llama_config": True, **SIZES, "num_hidden_layers": 2, "intermediate_size": 8}},
        "tokens": {"train_steps": 100, "micro_batch_size": 2, "sequence_length": 64}, "parallelism": {"dp": 2},
        "optimizer": {"learning_rate_scheduler": {"learning_rate": 1e-4, "min_decay_lr": 1e-5, "lr_decay_steps": 98,
                                                  "lr_warmup_steps": 2}},
    },
    "gpt_neox": {"num_layers": 2, **SIZES, "pipe_parallel_size": 1, "model_parallel_size": 1, "train_iters": 100,
                 "seq_length": 64, "max_position_embeddings": 64, "warmup": 0.01, "lr_decay_iters": 200,
                 "optimizer": {"type": "Adam", "params": ADAMW}, "train_micro_batch_size_per_gpu": 2},
    "megatron": {"num_layers": 2, **SIZES, "seq_length": 64, "lr": 1e-4, "train_samples": 1000, "min_lr": 1e-5,
                 "global_batch_size": 8, "lr_decay_iters": 90, "rampup_batch_size": [2, 2, 100]},
    "nemo": {
        "trainer": {"max_steps": 100, "devices": 8, "num_nodes": 1, "precision": "bf16", "gradient_clip_val": 1.0},
        "model": {"num_layers": 2, **SIZES, "encoder_seq_length": 64, "global_batch_size": 8, "micro_batch_size": 2,
                  "override_vocab_size": 100, "rampup_batch_size": [2, 2, 100], "tokenizer": {"type": "x"},
                  "optim": {"name": "adam", "lr": 1e-4, "betas": [0.9, 0.98],
                            "sched": {"name": "CosineAnnealing", "warmup_steps": 10, "constant_steps": 20}}},
    },
    "deepspeed": {"train_batch_size": 8, "train_micro_batch_size_per_gpu": 2, "gradient_clipping": 1.0,
                  "optimizer": {"type": "AdamW", "params": ADAMW},
                  "scheduler": {"type": "WarmupDecayLR", "params": {"warmup_num_steps": 2, "total_num_steps": 9}}},
    "olmo": {"model": {"d_model": 64, "n_heads": 4, "n_layers": 2, "mlp_ratio": 4, "max_sequence_length": 64},
             "optimizer": ADAMW, "scheduler": {"name": "cosine_with_warmup", "t_warmup": 10, "t_max": 50},
             "max_duration": "1e6T", "global_train_batch_size": 8},
    "olmo_core": {
        "model": {"d_model": 64, "n_layers": 2, "vocab_size": 100, "lm_head": {"layer_norm": NORM, "bias": False},
                  "block": {"sequence_mixer": {"n_heads": 4}, "layer_norm": NORM, "feed_forward": {"hidden_size": 9}}},
        "data_loader": {"global_batch_size": 512}, "trainer": {"max_duration": {"value": 100, "unit": "steps"}},
        "train_module": {"max_sequence_length": 64, "rank_microbatch_size": 64, "optim": ADAMW,
                         "scheduler": {"_CLASS_": "optim.CosWithWarmup", "warmup": 2, "t_max": 80}},
    },
    "llm_foundry": {"max_seq_len": 64, "model": {"name": "mpt_causal_lm", "d_model": 64, "n_heads": 4, "n_layers": 2},
                    "train_loader": {}, "scheduler": {"name": "cosine_with_warmup", "t_warmup": "2ba", "t_max": "1dur"},
                    "optimizer": ADAMW, "max_duration": "100ba", "global_train_batch_size": 8},
    "torchtune": {"model": {"_component_": "torchtune.models.llama3.lora_llama3_8b", "lora_rank": 8},
                  "optimizer": {"_component_": "torch.optim.AdamW", **ADAMW}, "epochs": 1, "max_steps_per_epoch": 10},
}  # fmt: skip
ODD = st.sampled_from(
    (None, True, False, -1, 0, 1.5, 1e30, 10**25, float("inf"), "", "x", "1e400", "nan", "auto", "${a}", [], [1], ["a"],
     [None], {}, {"a": 1})
)  # fmt: skip


def paths(tree: dict[str, Any], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The settings of a tree, and its sections."""
    own = [(*above, name) for name in tree]
    return own + [path for name, one in tree.items() if isinstance(one, dict) for path in paths(one, (*above, name))]


def test_each_form_has_its_tree() -> None:
    for module, tree in TREES.items():
        form = next(form for form in FORMS if form.function(form.knows)(Keys(tree)))
        assert form.module == module and plan_of(read("x", tree, "x"))
    assert {form.module for form in FORMS} == set(TREES)


@set_up(max_examples=100, deadline=None)
@given(st.data())
def test_a_setting_of_any_kind_is_read_or_refused(data: st.DataObject) -> None:
    tree = copy.deepcopy(TREES[data.draw(st.sampled_from(sorted(TREES)))])
    *above, last = data.draw(st.sampled_from(paths(tree)))
    within = tree
    for name in above:
        within = within[name]
    if data.draw(st.booleans()):
        within[last] = data.draw(ODD)
    else:
        del within[last]
    try:
        text = plan_of(read("x", tree, "x"))
    except Unreadable as error:
        assert "\n" not in str(error)
    else:
        assert text.startswith("# Imported from")
