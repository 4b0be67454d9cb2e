"""The formats of `plan export`: a line each, with the function that writes it, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from runplan.cli.export.training import Said, Subject, Training, Written
from runplan.dsl.dataclass import dataclass
from runplan.dsl.types import Literal

Need = Literal["shape", "batch", "layout", "hardware"]
_RUN: tuple[Need, ...] = ("batch", "layout")
_WHOLE: tuple[Need, ...] = ("shape", "batch", "layout")
# What is of the job that a trainer runs in, and no setting of the trainer; and the other way round.
OF_JOBS = frozenset[Subject](("pools", "dates", "hours", "availability"))


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files.

    Attributes:
        tool: What reads it, with the version that it is written for.
        writer: `module:function`, the module as seen from this folder.
        needs: What the plan has to tell for it.
        carries: What of a plan it has a place for whatever it is; all else it looks at itself, or loses.
        of: Whether it tells of the run, to a trainer, or of the job that it runs in, to a scheduler.
        file: The name of its file, where it is one; empty where there are several, for a folder.
    """

    name: str
    title: str
    tool: str
    writer: str
    needs: tuple[Need, ...]
    carries: frozenset[Subject] = frozenset()
    of: Literal["run", "job"] = "run"
    file: str = ""

    def write(self, run: Training) -> Written:
        """The files of a run."""
        module, _, function = self.writer.partition(":")
        write: Callable[[Training, Format], Written] = getattr(import_module(f"{__package__}.{module}"), function)
        return write(run, self)

    def concerns(self, subject: Subject) -> bool:
        """Whether a subject is of what the format tells of."""
        return (subject in OF_JOBS) == (self.of == "job")

    def unplaced(self, run: Training) -> tuple[Said, ...]:
        """What of a run it has no place for, whatever it is."""
        return tuple(one for one in run.said if self.concerns(one.subject) and one.subject not in self.carries)


_ALL = (
    Format("hf", "Hugging Face: config.json and training_args.json", "transformers 5.24", "hf:write", _WHOLE,
           frozenset(("objective",))),
    Format("hf-config", "Hugging Face: config.json alone", "transformers 5.24", "hf:config", ("shape",),
           frozenset(("mix", "phase mix", "repeats", "batch ramp", "checkpoint", "objective", "adapters", "bits",
                      "layout", "interleave")), file="config.json"),
    Format("hf-args", "Hugging Face: TrainingArguments alone", "transformers 5.24", "hf:arguments", _RUN,
           frozenset(("objective",)), file="training_args.json"),
    Format("torchtitan", "torchtitan: a module with the configuration", "torchtitan 0.3.0", "torchtitan:write", _WHOLE,
           file="config_registry.py"),
    Format("torchtitan-0.2", "torchtitan: TOML", "torchtitan 0.2.2", "torchtitan:write_toml", _WHOLE, file="run.toml"),
    Format("megatron", "Megatron-LM: a script with the arguments", "Megatron-LM, core 0.16.1", "megatron:write", _WHOLE,
           frozenset(("mix", "interleave")), file="run.sh"),
    Format("litgpt", "litgpt pretrain: YAML", "litgpt 0.5.13", "litgpt:write", _WHOLE, file="pretrain.yaml"),
    Format("deepspeed", "DeepSpeed: ds_config.json", "DeepSpeed 0.19.8", "deepspeed:write", _RUN,
           frozenset(("objective",)), file="ds_config.json"),
    Format("olmo-core", "OLMo-core: model, train module and length", "OLMo-core 3.0.0", "olmo_core:write", _WHOLE,
           file="olmo_core.json"),
    Format("nanotron", "nanotron: YAML, with a stage of data for each mix", "nanotron 0.5", "nanotron:write", _WHOLE,
           frozenset(("mix", "phase mix")), file="nanotron.yaml"),
    Format("slurm", "Slurm: a batch script", "Slurm 22.05", "slurm:write", ("hardware",), frozenset(("dates",)),
           "job", "run.sbatch"),
    Format("kubernetes", "Kubernetes: an indexed Job", "Kubernetes 1.31", "kubernetes:write", ("hardware",),
           of="job", file="job.yaml"),
    Format("skypilot", "SkyPilot: a task", "SkyPilot 0.14.1", "skypilot:write", ("hardware",), of="job",
           file="task.yaml"),
)  # fmt: skip
FORMATS = {each.name: each for each in _ALL}
# Other names by which a tool is called.
ALIASES = {
    "huggingface": "hf", "transformers": "hf", "trainingarguments": "hf-args", "hf-trainer": "hf-args",
    "sbatch": "slurm", "k8s": "kubernetes", "megatron-lm": "megatron", "olmo": "olmo-core", "sky": "skypilot",
}  # fmt: skip
