"""The matrices that have an adapter of LoRA to the word of a plan for them."""

from __future__ import annotations

from collections.abc import Collection

from runplan.cli.importing.imported import Word

# The words of a plan, the fewest matrices first, and the names that transformers gives them in its models.
_ALL = frozenset(("query", "key", "value", "projection", "mlp"))
_WORDS = {"qv": {"query", "value"}, "mlp": {"mlp"}, "attention": _ALL - {"mlp"}, "all": _ALL}
_MODULES = {"q_proj": {"query"}, "k_proj": {"key"}, "v_proj": {"value"}, "o_proj": {"projection"},
            "output_proj": {"projection"},
            "query_key_value": {"query", "key", "value"}, "qkv_proj": {"query", "key", "value"}, "gate_proj": {"mlp"},
            "up_proj": {"mlp"}, "down_proj": {"mlp"}, "gate_up_proj": {"mlp"}, "all": _ALL, "all-linear": _ALL,
            "dense": {"projection"}, "dense_h_to_4h": {"mlp"}, "dense_4h_to_h": {"mlp"}}  # fmt: skip


def adapted(rank: int, on: Collection[str], bits: int, notes: list[str]) -> dict[str, Word]:
    """The settings of an optimizer for adapters; a note where no word of a plan tells where they are.

    Args:
        on: Of `query`, `key`, `value`, `projection` and `mlp` those that have one.
        bits: What the weights below are kept in; 0 where that is not said.
    """
    word = next(word for word, parts in _WORDS.items() if set(on) <= parts)
    if set(on) != _WORDS[word]:
        notes.append(f"the adapters are on {', '.join(sorted(on)) or 'nothing'}: the plan has them on `{word}`")
    return {"lora": rank, "lora_on": word, **({"frozen_bits": bits} if bits else {})}


def matrices(modules: Collection[str], notes: list[str]) -> frozenset[str]:
    """The matrices that modules of transformers are, by the last part of their names."""
    found = set[str]()
    for name in modules:
        last = name.strip().rpartition(".")[2]
        if last not in _MODULES:
            notes.append(f"an adapter is on `{last[:40]}`, and a plan has no word for it")
        found |= _MODULES.get(last, set())
    return frozenset(found)
