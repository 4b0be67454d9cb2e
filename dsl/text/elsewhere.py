"""Words of other tools to the words of a plan, and to the statement that says here what one of theirs says there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from runplan.dsl.text.pattern import pattern

# ---- one word for another

_THEIRS: dict[str, str] = {
    # the model's block
    "layers": "num_hidden_layers n_layers num_layers n_layer nlayers depth",
    "hidden": "hidden_size d_model n_embd n_embed hidden_dim dim embed_dim emb_dim model_dim width",
    "ffn": "intermediate_size ffn_hidden_size d_ff ffn_dim mlp_dim feed_forward_dim n_inner",
    "heads": "num_attention_heads n_heads num_heads n_head",
    "kv_heads": "num_key_value_heads n_kv_heads num_kv_heads kv_n_heads num_query_groups n_query_groups",
    "head_dim": "head_size head_width kv_channels d_head d_kv qk_nope_head_dim",
    "vocab": "vocab_size padded_vocab_size vocabulary n_vocab",
    "context": "seq_len seq_length sequence_length sequence_len max_seq_len max_seq_length max_sequence_length"
    " max_position_embeddings block_size context_length context_window context_size n_ctx ctx",
    "window": "sliding_window sliding_window_size window_size local_attention attention_window_size",
    "mlp": "activation hidden_act activation_function act_fn ffn_type",
    "tied": "tie_word_embeddings tie_embeddings tied_embeddings weight_tying share_embeddings",
    "experts": "num_experts n_experts num_local_experts n_routed_experts moe_num_experts",
    "active_experts": "num_experts_per_tok num_experts_per_token top_k topk moe_top_k moe_router_topk",
    "params": "n_params num_params total_params total_parameters parameters num_parameters size model_size",
    "active": "active_params active_parameters",
    "biases": "bias add_bias_linear use_bias",
    "attention_biases": "attention_bias qkv_bias attn_bias add_qkv_bias",
    "mlp_biases": "mlp_bias",
    "qk_norm": "use_qk_norm qk_layernorm norm_qk",
    "expert_ffn": "moe_intermediate_size moe_ffn_hidden_size expert_intermediate_size ffn_expert",
    "shared_experts": "n_shared_experts num_shared_experts",
    "shared_ffn": "shared_expert_intermediate_size moe_shared_expert_intermediate_size",
    "dense_layers": "first_k_dense_replace num_dense_layers n_dense_layers first_dense_layers",
    "kv_lora": "kv_lora_rank",
    "q_lora": "q_lora_rank",
    "rope_dim": "qk_rope_head_dim rope_head_dim",
    "v_head_dim": "value_head_dim d_v",
    # the optimizer's block
    "batch": "batch_size global_batch_size global_train_batch_size train_batch_size total_batch_size gbs bsz",
    "learning_rate": "lr max_lr peak_lr base_lr",
    "weight_decay": "wd",
    "beta1": "adam_beta1",
    "beta2": "adam_beta2",
    "epsilon": "eps adam_eps adam_epsilon",
    "clip": "grad_clip clip_grad max_grad_norm max_norm gradient_clip gradient_clipping clip_norm",
    "lora": "rank lora_r lora_rank lora_dim adapters adapter_rank",
    "lora_on": "target_modules lora_target_modules",
    "frozen_bits": "load_in_4bit load_in_8bit qlora quantize quantization",
    # how the model lies on the devices
    "tp": "tensor tensor_parallel tensor_parallelism tensor_parallel_size tensor_parallel_degree"
    " tensor_model_parallel_size model_parallel model_parallel_size",
    "pp": "pipeline pipeline_parallel pipeline_parallelism pipeline_parallel_size pipeline_parallel_degree"
    " pipeline_model_parallel_size stages",
    "cp": "context_parallel context_parallelism context_parallel_size context_parallel_degree",
    "ep": "expert_parallel expert_parallelism expert_parallel_size expert_parallel_degree expert_model_parallel_size",
    "dp": "data_parallel data_parallelism data_parallel_size data_parallel_degree replicas",
    "shard": "zero zero_stage zero_optimization fsdp sharding",
    "micro_batch": "microbatch micro_batch_size mbs per_device_train_batch_size train_micro_batch_size_per_gpu"
    " device_batch_size local_batch_size",
    "accumulate": "accumulation gradient_accumulation gradient_accumulation_steps grad_accum grad_accumulation_steps"
    " accumulate_grad_batches num_microbatches",
    "recompute": "activation_checkpointing activation_checkpoint gradient_checkpointing checkpoint_activations"
    " recompute_granularity remat rematerialization",
    "interleave": "virtual_stages virtual_pipeline num_layers_per_virtual_pipeline_stage",
    # the hardware
    "gpus": "num_gpus n_gpus gpu_count ngpus count n num_devices devices world_size",
    "device": "gpu gpu_type gpu_model accelerator accelerator_type instance_type type hardware_type",
    "time": "duration duration_days walltime wall_time wall_clock wallclock runtime days train_time",
    "precision": "dtype mixed_precision",
    "mfu": "utilization utilisation efficiency",
    "price": "gpu_price price_per_gpu_hour price_per_hour hourly_rate cost_per_hour cost_per_gpu_hour",
    "power": "tdp",
    "nodes_of": "gpus_per_node per_node devices_per_node num_gpus_per_node nproc_per_node",
    # quantities
    "compute": "flops flop total_flops compute_budget",
    "cost": "budget money total_cost cost_budget",
    "emissions": "co2 carbon",
    "gpu_hours": "hours gpu_time",
    "perplexity": "ppl",
    "finish": "deadline end_date",
    # what stops the run
    "failure_every": "mtbf gpu_mtbf failure_rate failures mttf",
    "interruption_every": "spot interruption_rate interruptions preemption preemptions preemption_rate preemptible"
    " use_spot spot_rate eviction_rate",
    "restart_time": "restart restart_overhead recovery_time mttr",
    "wait_time": "wait wait_for_capacity requeue_time",
    "storage_bandwidth": "storage checkpoint_bandwidth write_bandwidth",
    "checkpoint_interval": "checkpoint_every save_interval checkpoint_frequency save_every",
    "stragglers": "straggler straggler_share",
    # statements
    "hardware": "accelerators cluster machine machines resources infrastructure",
    "data": "dataset datasets corpus train_data training_data sources",
    "tokens": "train_tokens training_tokens num_tokens n_tokens max_tokens total_tokens token_budget",
    "optimizer": "optim optimiser",
    "layout": "parallelism parallel parallel_config distributed",
    "schedule": "scheduler lr_scheduler lr_scheduler_type lr_schedule phases",
    "laws": "law scaling_law scaling_laws",
    "start": "base_model base checkpoint init_from init_checkpoint initial_checkpoint from_checkpoint resume"
    " resume_from resume_from_checkpoint load_checkpoint load_path load_weights pretrained pretrained_model"
    " from_pretrained model_name_or_path pretrained_model_name_or_path finetune fine_tune finetune_from warm_start",
    "plan": "title name",
    "require": "requires required requirement requirements constraint constraints assert limits subject_to",
    "let": "var vars variables set define",
    "minimize": "goal minimise min optimize optimise",
    "maximize": "maximise max",
    # what is counted otherwise
    "steps": "max_steps train_steps training_steps num_steps num_train_steps total_steps train_iters max_iters"
    " iterations max_duration",
    "sequences": "samples train_samples num_samples max_samples",
    "epochs": "num_epochs num_train_epochs max_epochs n_epochs",
    "warmup": "warmup_steps warm_up_steps lr_warmup_iters warmup_iters num_warmup_steps warmup_tokens warmup_ratio",
}
# What users of other tools write, and what a plan calls it.
ALSO_KNOWN = {theirs: ours for ours, several in _THEIRS.items() for theirs in several.split()}
# The fields of blocks, by the statement that has them; a test holds them to the library.
FIELDS = {
    "hardware": "gpus device time gpu_hours precision mfu mfu_convention rate throughput joint_throughput step_time"
    " price peak memory installed_memory bandwidth interconnect internode linked power pue carbon_intensity"
    " availability hours_per_day nodes_of failure_every interruption_every restart_time wait_time stragglers"
    " storage_bandwidth checkpoint_bytes checkpoint_size checkpoint_time checkpoint_interval".split(),
    "model": "params active layers hidden ffn heads kv_heads head_dim mlp biases qk_norm positions vocab context"
    " window global_layers tied v_head_dim kv_lora q_lora rope_dim sinks attention_biases mlp_biases norm_biases norms"
    " final_norm embedding_norm embedding_dim segments head_bias masked_head pooler extra_params experts active_experts"
    " expert_ffn shared_experts shared_ffn shared_gate router_biases expert_groups routed_groups dense_layers"
    " granularity weight_bits activation_bits kv_bits".split(),
    "layout": "tp pp cp ep etp dp micro_batch accumulate sequence_parallel recompute interleave weight_bytes"
    " gradient_bytes master_bytes optimizer_bytes moments matrix_moments moment_bytes shard gradients_kept copy_bytes"
    " copied_layers residual_bytes hidden_bytes query_bytes kv_bytes ffn_bytes head_bytes expert_bytes norm_bytes"
    " cast_bytes least_logit_bytes logit_bytes forward_logit_bytes stranded_logit_bytes rotary_bytes workspace"
    " fragmentation recompute_fragmentation sides longest_side serving_bits cache_bits".split(),
    "optimizer": "batch learning_rate weight_decay beta1 beta2 epsilon momentum clip lora lora_on frozen_bits".split(),
}
_OF = {field: statement for statement, fields in FIELDS.items() for field in fields}


def ours(word: str, value: str = "") -> str:
    """A word as a plan calls it, where another tool has another for it.

    Args:
        value: What it is said to be: `gpu: H100` is the device, and `gpu: 64` how many there are.
    """
    folded = word.strip().lower().replace("-", "_").replace(" ", "_")
    name = ALSO_KNOWN.get(folded, folded)
    return "gpus" if name == "device" and value.strip().isdigit() else name


# ---- one statement for another

# Quantities that only a requirement bounds, and whether more of them is what one wants.
_BOUNDED = {"cost": "<=", "emissions": "<=", "energy": "<=", "gpu_hours": "<=", "loss": "<=", "perplexity": "<=",
            "finish": "<=", "steps": "<=", "regret": "<="}  # fmt: skip
_LIMIT = pattern(r"(max|min|maximum|minimum)_(\w+)|(\w+)_(limit|cap|max|min|budget)")
_NODES = "say it in `hardware`: `{0} nodes x` in place of the count, and `in nodes of 8` behind it"
_COUNTS = {"steps": "tokens: {} steps", "sequences": "tokens: {} sequences", "epochs": "tokens: {} epochs"}
# How the one-line form of hardware says its fields.
_IN_LINE = {"gpus": "{} x", "device": "x {}", "time": "for {}", "mfu": "at {} MFU", "rate": "at {}", "price": "@ {}",
            "precision": "in {}", "nodes_of": "in nodes of {}"}  # fmt: skip


def answer(word: str, value: str, text: str, in_yaml: bool = False) -> list[str]:
    """The help with a word that begins no statement: what says the same in a plan; empty where nothing is known.

    Args:
        value: What follows it on its line.
        text: The whole plan, in which a statement may be that it belongs to.
    """
    name, value = ours(word, value), value.strip().strip('"') if in_yaml else value.strip()
    if (limit := _LIMIT.fullmatch(name)) and ours(limit[2] or limit[3]) in {*_BOUNDED, *_OF}:
        sign = ">=" if "min" in (limit[1] or limit[4]) else "<="
        return [_statement(f"require {ours(limit[2] or limit[3])} {sign} {value}", in_yaml)] if value else []
    if name == "cost" and value.endswith(("FLOP", "PF-days", "PF-day")):
        name = "compute"
    if name in _BOUNDED and name not in _COUNTS:
        return [_statement(f"require {name} {_BOUNDED[name]} {value}", in_yaml)] if value else []
    if name in _COUNTS:
        return [_statement(_COUNTS[name].format(value), in_yaml)] if re.fullmatch(r"[\d_.]+[kKMBT]?", value) else []
    if name == "warmup":
        steps = f"{value} steps" if re.fullmatch(r"[\d_]+", value) else value or "1%"
        return ["write the phases: " + _phases(steps, in_yaml)]
    if name in ("nodes", "num_nodes", "n_nodes") and re.fullmatch(r"\d+", value):
        return [_NODES.format(value)]
    if name in _OF:
        return _field(name, value, text, in_yaml)
    return _renamed(name, value, in_yaml) if name != word else []


def renamed(word: str, value: str, help: Iterable[str]) -> str:
    """What a word that begins no statement is called here, where that is all that an answer says; empty where not."""
    name = ours(word)
    told = (f"write `{name}: {value.strip()}`", f"write `{name} {value.strip()}`")
    return name if any(text in told for text in help) else ""


def compared(name: str, value: str) -> str:
    """A quantity and its figure as the comparison that is meant: what costs is bounded, and anything else is so."""
    return f"{ours(name)} {_BOUNDED.get(ours(name), '==')} {value}"


def _renamed(name: str, value: str, in_yaml: bool) -> list[str]:
    """The statement that has another name here."""
    if name == "minimize" and (m := re.fullmatch(r"(minimi[sz]e|maximi[sz]e)?\s*(\S.*)?", value)):
        name, value = (m[1] or name).replace("ise", "ize"), m[2] or "loss"
    if name not in (*_THEIRS, "maximize"):
        return []
    if name == "start":
        named = re.fullmatch(r'[\w./-]+|"[^"]+"', value) and value.lower() not in ("true", "yes", "1", "auto")
        value = f"checkpoint {value}" if named else "checkpoint"
    if not value:
        return [f"did you mean `{name}`?"]
    if in_yaml:
        return [f"write `{name}: {value}`"]
    bare = ("let", "require", "minimize", "maximize")
    keyword = {"plan": f'plan "{value.strip(chr(34))}"', **{name: f"{name} {value}" for name in bare}}
    return [f"write `{keyword.get(name, f'{name}: {value}')}`"]


def _statement(text: str, in_yaml: bool) -> str:
    keyword, _, rest = text.partition(" ")
    return f"write `{text}`" if not in_yaml or keyword.endswith(":") else f"write `{keyword}: {rest}`"


def _phases(warmup: str, in_yaml: bool) -> str:
    if in_yaml:
        return f"`schedule: {{warmup: {warmup} warmup, stable: rest constant, decay: 10% linear}}`"
    return f"`phase warmup: {warmup} warmup; phase stable: rest constant; phase decay: 10% linear`"


def _field(name: str, value: str, text: str, in_yaml: bool) -> list[str]:
    """Where a field is said: in the statement that there is, or in one of its own."""
    statement, value = _OF[name], with_unit(name, value)
    if not value:
        return [f"it is a part of `{statement}`"]
    found = re.search(rf"^[ \t]*{statement}\b[ \t]*:?[ \t]*([^#\n]*)", text, re.MULTILINE)
    there = found[1].strip().strip('"') if found else ""
    pair = f"{name}: {value}"
    if found and (not there or there.startswith("{") or there.endswith("{")):
        return [f"write `{pair}` in the block of `{statement}`"]
    if statement == "hardware":
        return _of_hardware(name, value, there)
    if statement == "model":
        return ["write " + _block("model", [*([f"params: {there}"] if there else []), pair], in_yaml)]
    if statement == "layout":
        said = f"{there}, {name} {value}" if there else f"{name} {value}"
        return [f"write `layout: {said}`"]
    kind = there or "AdamW"
    return ["write " + (_block("optimizer", [f"name: {kind}", pair], True) if in_yaml else
                        f"`optimizer: {kind} {{ {pair} }}`")]  # fmt: skip


def _of_hardware(name: str, value: str, there: str) -> list[str]:
    if name not in _IN_LINE:
        return [f"write `{name}: {value}` in a block of `hardware`"]
    said = _IN_LINE[name].format(value)
    if there:
        return [f"say it in `hardware`: `{said}`"]
    count = value if name == "gpus" else "?"
    device = f"x {value}" if name == "device" else "x H100"
    time = value if name == "time" else "?"
    rest = f" {said}" if name not in ("gpus", "device", "time") else ""
    return [f"it is a part of `hardware`, such as `hardware: {count} {device} for {time}{rest}`"]


def _block(statement: str, pairs: Iterable[str], in_yaml: bool) -> str:
    return f"`{statement}: {{{', '.join(pairs)}}}`" if in_yaml else f"`{statement}: {{ {'; '.join(pairs)} }}`"


def with_unit(name: str, value: str) -> str:
    """A value as its field says it: a bare number with the unit that it is counted in, a switch by its word."""
    if name == "context" and re.fullmatch(r"[\d_]+[kK]?", value):
        return f"{value} tokens"
    if name == "recompute" and value.lower() in ("true", "false"):
        return "full" if value.lower() == "true" else "none"
    if name == "micro_batch" and re.fullmatch(r"\d+", value):
        return f"{value} sequences"
    if name == "batch" and re.fullmatch(r"[\d_.]+[kKM]?", value):
        few = re.fullmatch(r"[\d_]{1,5}", value)
        return f"{value} {'sequences' if few else 'tokens'}"
    return value
