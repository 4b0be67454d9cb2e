"""The statements of the language, one row each: how it is spelled in either form, how often and where it may stand.

The grammar, the YAML reader, `--set`, the lowering and the check of rules read this table. A new statement is a row
here, the rule of its value in plan.lark, and its lowering in dsl/plan.
"""

from __future__ import annotations

from runplan.dsl.dataclass import dataclass
from runplan.dsl.types import Literal


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    Attributes:
        rule: The rule of its node in the tree.
        keyword: The words that it begins with in a `.plan` file.
        value: The grammar rule of what follows them; it also reads a YAML scalar. Empty where plan.lark spells out
            the whole statement.
        times: Whether it may stand `once` in a plan or a stage, once for each `name`, or as often as one `likes`.
        key: Its key in YAML; empty where another statement's key brings it, or none.
        shape: The reader of what stands at the key, by its name in `yaml.SHAPES`.
        slot: What it fills, where others may fill it too; the key where it is alone.
        in_stage: Whether it may stand inside a `stage`.
        settable: Whether `--set KEY=VALUE` gives it.
        blamed: Whether a rule may blame it.
        again: The help where it is given twice.
        also: Another word that it may begin with.
    """

    rule: str
    keyword: str
    value: str = ""
    times: Literal["once", "name", "likes"] = "once"
    key: str = ""
    shape: str = "text"
    slot: str = ""
    in_stage: bool = False
    settable: bool = False
    blamed: bool = False
    again: str = ""
    also: str = ""

    @property
    def fills(self) -> str:
        """What it fills: statements that fill the same stand in each other's place."""
        return self.slot or self.key or self.rule


# What a plan says, in the order in which help lists it.
OF_PLANS = (
    Statement("plan", "plan", "title", key="plan", shape="title", settable=True),
    Statement("use", "use laws", "law_names", key="laws", shape="laws", settable=True, also="laws"),
    Statement("let", "let", "let_spec", "likes", "let", "lets"),
    Statement("import_", "import", "import_spec", "likes", "import", "texts"),
    Statement("rate", "rate", "rate_spec", "likes", "rate", "texts", settable=True),
    Statement("calendar", "calendar", "calendar_spec", key="calendar", settable=True),
    Statement(
        "hardware",
        "hardware",
        "hw_spec",
        key="hardware",
        shape="hardware",
        in_stage=True,
        settable=True,
        blamed=True,
        again="join pools that run side by side with `+`",
    ),
    Statement("compute", "compute", "amount", key="compute", in_stage=True, settable=True, blamed=True),
    Statement(
        "data",
        "data",
        "data_spec",
        key="data",
        shape="named",
        in_stage=True,
        settable=True,
        blamed=True,
        again="name the sources",
    ),
    Statement("data_named", "data", "data_spec", "name", slot="data", in_stage=True),
    Statement("tokens", "tokens", "amount", key="tokens", in_stage=True, settable=True, blamed=True),
    Statement("model", "model", "model_spec", key="model", shape="model", settable=True, blamed=True),
    Statement("start", "start", "start_spec", key="start", settable=True, blamed=True),
    Statement(
        "objective",
        "objective",
        "obj_spec",
        key="objective",
        shape="objective",
        in_stage=True,
        settable=True,
        blamed=True,
    ),
    Statement("inference", "inference", "amount", key="inference", in_stage=True, settable=True),
    Statement("context", "context", "amount", key="context", in_stage=True, settable=True),
    Statement("reserve", "reserve", "reserve_spec", key="reserve", in_stage=True, settable=True),
    Statement(
        "schedule",
        "schedule",
        "sched_spec",
        key="schedule",
        shape="named",
        in_stage=True,
        settable=True,
        blamed=True,
    ),
    Statement("phase", "phase", "phase_spec", "name", slot="schedule", in_stage=True),
    Statement("layout", "layout", "layout_spec", key="layout", settable=True, blamed=True),
    Statement("stage", "stage", times="name", key="stages", shape="stages"),
    Statement(
        "optimizer",
        "optimizer",
        "opt_spec",
        key="optimizer",
        shape="optimizer",
        in_stage=True,
        settable=True,
        blamed=True,
    ),
    Statement("require", "require", "constraint", "likes", "require", "texts", in_stage=True, settable=True),
    Statement("prefer", "prefer", "constraint", "likes", "prefer", "texts", in_stage=True, settable=True),
    Statement(
        "minimize",
        "minimize",
        "goal",
        key="minimize",
        shape="texts",
        slot="the goal",
        settable=True,
        again="bound one of the two with `require`",
    ),
    Statement(
        "maximize",
        "maximize",
        "goal",
        key="maximize",
        shape="texts",
        slot="the goal",
        settable=True,
        again="bound one of the two with `require`",
    ),
)
# One of each, as help offers it where there is nothing but its keyword.
EXAMPLES = {
    "plan": 'plan "Thousand H100s"',
    "use": "use laws chinchilla",
    "let": "let budget = 30M USD",
    "import_": "import prices.plan",
    "rate": "rate EUR = 1.08 USD on 2026-01-15",
    "calendar": "calendar month = 30.4375 days",
    "hardware": "hardware: 64 x H100 for 30 days",
    "compute": "compute: 5e24 FLOP",
    "data": "data: 10T tokens",
    "tokens": "tokens: 2T",
    "model": "model: 7B",
    "start": "start: scratch",
    "objective": "objective: CLM",
    "inference": "inference: 500B tokens",
    "context": "context: 32k tokens",
    "reserve": "reserve: 15%",
    "schedule": "schedule: WSD",
    "phase": "phase decay: 10% linear",
    "layout": "layout: tp 8, pp 4",
    "stage": "stage main { tokens: 1T }",
    "optimizer": "optimizer: AdamW",
    "require": "require loss <= 2.1",
    "prefer": "prefer loss <= 2.1",
    "minimize": "minimize loss",
    "maximize": "maximize tokens",
}
# Kinds of records; `defaults` are the library's own, and not offered to others.
RECORDS = ("column", "device", "fleet", "mfu", "model", "price", "regime", "region", "run", "shape", "states")
# Those of which the word begins a statement, too, have a rule of their own.
KINDS = (*(kind for kind in RECORDS if kind not in {row.keyword for row in OF_PLANS}), "defaults")
# What a pack defines; a plan may define it too. It has no YAML.
OF_PACKS = (
    Statement("law", "law", times="likes"),
    Statement("rule", "rule", times="likes"),
    *(Statement("record", kind, times="likes") for kind in RECORDS),
    Statement("schedule_def", "schedule", times="likes"),
    Statement("quantity_def", "quantity", times="likes"),
    Statement("override", "override", times="likes"),
)
ALL = (*OF_PLANS, *OF_PACKS)
BY_RULE = {row.rule: row for row in OF_PLANS}
BY_KEY = {row.key: row for row in OF_PLANS if row.key}
DEFINITIONS = frozenset(row.rule for row in OF_PACKS)
# What imports bring, or only other statements rest on: with nothing else a file is no plan.
ASIDES = frozenset(("let", "rate", "calendar"))
# The words that begin a statement.
KEYWORDS = tuple(dict.fromkeys(word for row in ALL for word in (row.keyword.split()[0], row.also) if word))
# What a law may say, apart from its formulas.
LAW_FIELDS = (
    "objective counts corpus constants jointly let table start fitted cites golden note aside reads drifts".split()
)

# Words that join the parts of a statement; at the beginning of a line they go on with the one before.
CONTINUING = "for at up weight because and or in then else within gives evidence quality domain".split()
# Words that are never a unit or a name in an expression.
RESERVED = (*CONTINUING, *"not to from of as until on active MFU if cites mix aliases extends unknown".split())
# A line that goes on with the one before, as a pattern of its beginning.
CONTINUED = rf"[ \t]*(?:(?:{'|'.join(CONTINUING)})(?!\w)(?![ \t]*[:=(])|[@*/+])"
