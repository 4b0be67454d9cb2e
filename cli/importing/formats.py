"""The configurations that are read, each recognised by its content."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from runplan.cli.importing.imported import Imported
from runplan.cli.importing.keys import Keys, Tree, Unreadable
from runplan.dsl.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Form:
    """A form of configuration.

    Attributes:
        title: What it is.
        module: The module of this folder that reads it.
        knows, read: Its functions: whether settings are of this form, and what they say of a run.
    """

    title: str
    module: str
    knows: str
    read: str

    def function(self, name: str) -> Callable[..., object]:
        """A function of its module."""
        found: Callable[..., object] = getattr(import_module(f"{__package__}.{self.module}"), name)
        return found


FORMS = (
    Form("a config.json of transformers", "hf.config", "is_config", "config"),
    Form("torchtitan's TOML, or a module of 0.3", "torchtitan", "is_torchtitan", "configuration"),
    Form("litgpt's YAML", "litgpt", "is_litgpt", "configuration"),
    Form("nanotron's YAML", "nanotron", "is_nanotron", "configuration"),
    Form("OLMo's YAML", "olmo", "is_olmo", "configuration"),
    Form("OLMo-core's JSON", "olmo_core", "is_olmo_core", "configuration"),
    Form("llm-foundry's YAML", "llm_foundry", "is_llm_foundry", "configuration"),
    Form("torchtune's YAML", "torchtune", "is_torchtune", "configuration"),
    Form("GPT-NeoX's YAML", "gpt_neox", "is_neox", "configuration"),
    Form("NeMo's YAML", "nemo", "is_nemo", "configuration"),
    Form("Megatron-LM's arguments, of a script or in YAML", "megatron", "is_megatron", "arguments"),
    Form(
        "TrainingArguments of transformers, in JSON or YAML, or of TRL, LLaMA-Factory or axolotl",
        "hf.arguments",
        "is_arguments",
        "arguments",
    ),
    Form("DeepSpeed's JSON, beside a model", "deepspeed", "is_deepspeed", "configuration"),
)


def read(path: str, tree: Tree, title: str) -> Imported:
    """What the settings of a file say of a run.

    Raises:
        Unreadable: Where they are of no form that is known, or of one that no plan can be made of.
    """
    for form in FORMS:
        keys = Keys(tree)
        if form.function(form.knows)(keys):
            found = form.function(form.read)(keys, title)
            assert isinstance(found, Imported)
            return found
    known = "; ".join(form.title for form in FORMS)
    raise Unreadable(f"{path}: this is no configuration that is read: {known}")
