"""The name of a device, as drivers, clouds and data sheets print it, to the device that is meant."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.finding import Fix
from runplan.dsl.text.fixes import respelled
from runplan.dsl.text.later import Later
from runplan.dsl.text.nearest import did_you_mean, same_model
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import listing

# Words that say whose a device is, or that it is one, and never which.
_SAYS_NOTHING = frozenset(
    "nvidia tesla geforce amd ati instinct google cloud intel habana labs aws amazon huawei gpu gpus device card "
    "accelerator accelerators ai tensor core graphics generation edition series chip superchip grace hopper "
    "corporation oam mcm ac lc mba hf vf slice podslice".split()
)
_MARKS = pattern(r"[®™©]|\((?:r|tm|c)\)")
# How a variant is written, and how it is compared: the socket, the slot, and how much memory of which kind.
_VARIANTS = (
    (pattern(r"(?<![a-z\d.])(\d+)\s*g(?:i?b)?(?![a-z\d])"), r" \1gb "),
    (pattern(r"sxm\d?(?![a-z\d])"), " sxm "),
    (pattern(r"(?<![a-z\d])hgx(?![a-z\d])"), " sxm "),
    (pattern(r"pci[\s_-]?e(?:xpress)?\d?(?![a-z\d])"), " pcie "),
    (pattern(r"(?<![a-z])nvl(?![a-z\d])"), " nvl "),
)
_VARIANT = pattern(r"sxm|pcie|nvl|\d+gb|hbm\d+e?|g?ddr\d+x?")
_WORD = pattern(r"[^\W_]+")
_FIGURE = pattern(r"\d+")


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A name taken apart.

    Attributes:
        model: Its words as one.
        variant: What is said of the socket, the slot and the memory.
        figure: The first figure in the model, or where it has none how that begins: what every spelling of it has.
    """

    model: str
    variant: frozenset[str]
    figure: str


@lru_cache(4096)
def _spoken(name: str) -> _Spoken:
    text = _MARKS.sub(" ", name.lower())
    for spelling, said in _VARIANTS:
        text = spelling.sub(said, text)
    words = [word for word in _WORD.findall(text) if word not in _SAYS_NOTHING]
    variant = frozenset(word for word in words if _VARIANT.fullmatch(word))
    of_model = [word for word in words if word not in variant]
    figure = _FIGURE.search(" ".join(of_model))
    model = "".join(of_model)
    return _Spoken(model, variant, figure[0] if figure else model[:3])


@dataclass(frozen=True, slots=True)
class Meant:
    """The device that a name means.

    Attributes:
        others: The devices that it may mean as well: it is the name of a family, of which this is the usual form.
    """

    name: str
    others: tuple[str, ...] = ()


def meant(name: str, devices: Mapping[str, str]) -> Meant | None:
    """The device that a name means, by the names and aliases that each goes by; None where none is, or several are.

    What a name says must all be true of the device: `A100 80GB` is none with 40 GB. What it leaves open is as in the
    usual form of the family: the device that goes by just what is said, or by the model alone.
    """
    exact = next((owner for spelled, owner in devices.items() if spelled.lower() == name.lower()), None)
    wanted = _spoken(name)
    if not wanted.model:
        return Meant(exact) if exact else None
    family: dict[str, frozenset[str]] = {}
    usual: list[tuple[bool, int, str]] = []
    for spelled, owner in _near(wanted, devices):
        known = _spoken(spelled)
        if known.model == wanted.model:
            family[owner] = family.get(owner, frozenset()) | known.variant
            if known.variant in (wanted.variant, frozenset()):
                # Of two the plainer name is that of the family: `nvidia-tesla-a100` is what one cloud calls one form.
                usual.append((known.variant != wanted.variant, len(spelled), owner))
    fitting = {owner for owner, variant in family.items() if wanted.variant <= variant}
    if not exact and not fitting:
        return None
    by_family = next((owner for _, _, owner in sorted(usual) if owner in fitting), None)
    found = exact or (next(iter(fitting)) if len(fitting) == 1 else by_family)
    if found is None:
        return None
    others = set(fitting)
    if _spoken(found).model != wanted.model and _spoken(found).model.startswith(wanted.model):
        # `MI300` is a family of models; `A10` is a model of its own, and not what `A10G` is a form of.
        others |= {owner for _, owner in _near(wanted, devices) if _spoken(owner).model.startswith(wanted.model)}
    return Meant(found, tuple(sorted(others - {found})))


def _near(wanted: _Spoken, devices: Mapping[str, str]) -> list[tuple[str, str]]:
    """The names that a name is to be compared with, each with its device: it takes longer to take one apart.

    What is of its model has its figure, and each of its letters, however it is written.
    """
    lower = ((spelled.lower(), spelled, owner) for spelled, owner in devices.items())
    letters = frozenset(wanted.model)
    return [(spelled, owner) for text, spelled, owner in lower if wanted.figure in text and letters.issubset(text)]


# How clouds and vendors call a whole machine.
_MACHINE = pattern(
    r"[a-z]+\d\w*(-\w+)?\.(\d*xlarge|metal)|standard_n\w+|\w+-(high|mega|ultra|edge)[gt]pu-\w+"
    r"|(g2|ct6e|tpu7x)-standard-\w+|dgx\W.*"
)


def named_as(span: Span, name: str, devices: Mapping[str, str]) -> Later[Fix]:
    """The fixes of a name that means no device: each near one of its generation and memory."""
    return respelled(span, name, () if _MACHINE.fullmatch(name.lower()) else same_model(name, devices))


def one_of(name: str, devices: Mapping[str, str]) -> list[str]:
    """The help with a name that means no device: the nearest one of its generation and memory, or its family."""
    lower = name.lower()
    if _MACHINE.fullmatch(lower):
        example = "16 nodes x H100 for 30 days at 40% MFU in nodes of 8"
        return [f"it is a machine: say which devices it has, and how many, such as `{example}`"]
    known = {spelled.lower(): spelled for spelled in devices}
    for meant_by in (lower.removesuffix("s"), lower.replace("o", "0")):  # a letter for the figure that looks like it
        if same := known.get(meant_by):
            return [f"did you mean `{same}`?"]
    if close := did_you_mean(name, same_model(name, devices)):
        return close
    wanted = _spoken(name)
    family = sorted(
        {owner for spelled, owner in devices.items() if wanted.model and _spoken(spelled).model == wanted.model}
    )
    return [f"there are {listing(family)}"] if family else ["`plan device` lists them"]
