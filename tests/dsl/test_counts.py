"""What is counted does not leak: no figure is read in a unit that its field is not in, and none without one."""

from __future__ import annotations

import pytest
from known import LIBRARY

from runplan.dsl.dataclass import dataclass
from runplan.dsl.plan.ir import Given, Hole, Plan, Within
from runplan.dsl.plan.lower import lower
from runplan.dsl.syntax.parse import parse_file
from runplan.dsl.syntax.yaml import parse_yaml
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Source
from runplan.dsl.typed.fields import COMPUTE, DATA, EPOCHS, PARAMS, RESERVE, RUN, SERVED, WEIGHT, Field, natural
from runplan.dsl.units.base import EPOCH, GPU, NODE, SEQUENCE, TIME, TOKEN, dim_of
from runplan.dsl.units.dims import MONEY, NONE, Dim, over, power, times
from runplan.dsl.units.show import show_dim
from runplan.dsl.units.table import table_of_units


def lowered(text: str) -> tuple[Plan | None, list[Finding]]:
    """A plan, and what is wrong with it."""
    file, findings = parse_file(Source("p.plan", text))
    found = lower(file, LIBRARY.vocabulary())
    return found.plan, [*findings, *(f for f in found.findings if f.severity == "error")]


def codes(text: str) -> list[str]:
    return [f.code for f in lowered(text)[1]]


def plan_of(text: str) -> Plan:
    plan, findings = lowered(text)
    assert plan is not None and findings == []
    return plan


def tokens_of(text: str) -> float:
    tokens = plan_of(text).stages[0].tokens
    assert isinstance(tokens, Given) and tokens.value.dim == TOKEN
    return tokens.value.value


# ---- every field in every unit


@dataclass(frozen=True)
class Place:
    """A field of the language, and a plan around it."""

    field: Field
    plan: str

    def __str__(self) -> str:
        return self.plan.partition("{}")[0].strip().replace("\n", "; ")[-40:]

    def codes(self, figure: str) -> list[str]:
        return codes(self.plan.replace("{}", figure))


BLOCKS = {
    "hardware": "hardware {{ gpus: 8; device: H100; time: 1 day; {field}: {{}} }}\n",
    "layout": "hardware: 8 x H100 for 1 day\nlayout: {field} {{}}\n",
    "model": "model {{ {field}: {{}} }}\ntokens: 1T\n",
    "optimizer": "optimizer: AdamW {{ {field}: {{}} }}\n",
}


def block(statement: str, field: Field) -> str:
    text = BLOCKS[statement].format(field=field.name)
    taken = f"{field.name}: {{}}"
    for own in ("gpus: 8; ", "time: 1 day; "):
        if taken.startswith(own.partition(":")[0] + ":"):
            text = text.replace(own, "")
    return text


PLACES = [
    Place(COMPUTE, "compute: {}\n"),
    Place(RUN, "data: 1T tokens\noptimizer: AdamW { batch: 1M tokens }\ntokens: {}\n"),
    Place(PARAMS, "model: {}\n"),
    Place(SERVED, "inference: {}\n"),
    Place(RESERVE, "reserve: {}\n"),
    Place(DATA, "data: {}\n"),
    Place(EPOCHS, "data: 1T tokens up to {}\n"),
    Place(WEIGHT, "data a: 1T tokens weight {}\ndata b: 1T tokens\n"),
    *(
        Place(known.facts.given, block(known.facts.statement, known.facts.given))
        for known in LIBRARY.quantities().values()
        if known.facts.given is not None and not known.facts.given.words
    ),
]
# One unit of each dimension, and of each that stands over a count.
UNITS = {one.dim: name for name, one in sorted(table_of_units().units.items(), key=lambda pair: pair[1].factor)}
UNITS.pop(dim_of("date"))
UNITS.pop(NONE)
UNITS |= {over(dim, by): f"{UNITS[dim]}/{UNITS[by]}" for dim in tuple(UNITS) for by in (GPU, NODE, TIME, SEQUENCE)}
UNITS.pop(NONE, None)


def money(dim: Dim) -> Dim:
    return tuple(sorted(("USD" if name == MONEY else name, e) for name, e in dim))


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_field_is_read_in_its_own_dimension_alone(place: Place) -> None:
    """Of all units those of the field's dimension, and of what may stand for it; every other is U001, or C004 where
    it is not said how much one of them holds."""
    field = place.field
    own = {money(field.dim), money(over(field.dim, field.per)), *(other.dim for other in field.instead)}
    if field.name in ("rate", "throughput"):  # a throughput that names no device is that of all of them
        own.add(dim_of("token/second"))
    # A figure of sequences or nodes is one of tokens or GPUs, once the plan says how many those hold.
    counted = {
        times(dim, power(over(unit, held), dict(dim).get(held[0][0], 0.0)))
        for dim in own
        for unit, held in ((SEQUENCE, TOKEN), (NODE, GPU))
    }
    for dim, unit in UNITS.items():
        found = [code for code in place.codes(f"1 {unit}") if code != "U004"]
        if dim in own or (field.name == "hours_per_day" and not over(dim, TIME)):
            assert found == [], unit
        elif dim in counted:
            assert found == ["C004"], unit
        elif field == DATA and dim in (dim_of("byte"), dim_of("character")):
            assert found == ["C004"], unit  # how many a token has
        else:
            assert found == ["U001"], f"{unit} ({show_dim(dim)})"


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_bare_number_stands_for_the_one_unit_that_there_is(place: Place) -> None:
    """Where two units are usual, or none is said, it is U003, and the help has what is read."""
    field = place.field
    number = field.example.partition(" ")[0].rstrip("%") if field.dim else "1"
    found = [code for code in place.codes(number) if code != "U004"]
    implied = not field.dim or field.name == "hours_per_day" or (natural(field.dim) and not field.also)
    if field is DATA:
        implied = False
    assert found == ([] if implied else ["U003"])


@pytest.mark.parametrize("share", ["50%", "2 * 50%", "50% * 2T", "1T tokens / 1 token", "half", "twice_half"])
@pytest.mark.parametrize("place", [place for place in PLACES if place.field.dim], ids=str)
def test_a_share_is_no_amount(place: Place, share: str) -> None:
    """A per cent is a number, and no number of anything."""
    lets = "let half = 50%\nlet twice_half = 2 * half\n"
    found = codes(lets + place.plan.replace("{}", share))
    assert found == ["U001"] or (found == ["U003"] and place.field.name in ("rate", "data"))


CONTEXT = "say it in the model's block: `model { params: 7B; context: 4096 tokens }`"


def test_both_usual_units_are_offered() -> None:
    text = "model { params: 1B; context: 2000 tokens }\noptimizer: AdamW { batch: BATCH }\n"
    (found,) = lowered(text.replace("BATCH", "256"))[1]
    assert (found.code, found.help) == ("U003", ("write `256 tokens` or `256 sequences`",))
    for help in ("256 tokens", "256 sequences"):
        assert codes(text.replace("BATCH", help)) == []


# ---- sequences, nodes, steps


def test_sequences_are_tokens_by_the_context() -> None:
    text = "model { params: 1B; context: 4096 tokens }\ndata: 1T tokens\ntokens: "
    assert tokens_of(text + "100 sequences\n") == 409_600
    assert tokens_of("let n = 100 sequences\n" + text + "n\n") == 409_600
    tokens = plan_of(text + "100 .. 200 sequences\n").stages[0].tokens
    assert isinstance(tokens, Within) and tokens.low and tokens.high
    assert (tokens.low.value.value, tokens.high.value.value) == (409_600, 819_200)


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("model: 7B\ntokens: 300M sequences\n", CONTEXT),
        ("hardware: 12 nodes x H100 for 1 day\n", "add `in nodes of 8` to the hardware"),
        ("hardware: ? nodes x H100 for 1 day\n", "add `in nodes of 8` to the hardware"),
        ("hardware: 96 x H100 for 1 day @ 20 USD/node/hour\n", "add `in nodes of 8` to the hardware"),
        ("hardware { gpus: 12 nodes; device: H100; time: 1 day }\n", "add `nodes_of: 8` to the hardware"),
        ("hardware: 12 nodes x H100 for 1 day @ 20 USD/node/hour\n", "add `in nodes of 8` to the hardware"),
        ("tokens: 63900 steps\n", "add the batch: `optimizer: AdamW { batch: 4M tokens }`"),
        ("tokens: at least 2 epochs\n", "add the data, such as `data: 10T tokens`"),
    ],
)
def test_what_one_holds_must_be_said(text: str, help: str) -> None:
    (found,) = lowered(text)[1]
    assert (found.code, found.help) == ("C004", (help,))
    said = help.split("`")[1]
    if "in nodes" in said:
        text = text.rstrip() + f" {said}\n"
    elif "nodes_of" in said:
        text = text.replace("}", f"; {said} }}")
    else:
        text = text.replace("model: 7B\n", "") + said + "\n"
    assert codes(text) == []


@pytest.mark.parametrize(
    ("count", "gpus"),
    [("12 nodes", 96), ("n", 96), ("(4 nodes + 8 nodes)", 96), ("up to 12 nodes", 96), ("? nodes", None), ("?", None)],
)
def test_nodes_are_gpus(count: str, gpus: int | None) -> None:
    head = "let n = 12 nodes\n"
    for text in (
        f"hardware: {count} x H100 for 1 day @ 20 USD/node/hour in nodes of 8\n",
        f"hardware {{ gpus: {count}; device: H100; time: 1 day; price: 20 USD/node/hour; nodes_of: 8 }}\n",
        f"hardware {{ nodes_of: 8 GPU/node; gpus: {count}; device: H100; time: 1 day; price: 20 USD/node/hour }}\n",
    ):
        figures = plan_of(head + text).stages[0].hardware[0].figures
        found, price = figures["gpus"], figures["price"]
        assert isinstance(price, Given) and price.value.value * 3600 == pytest.approx(2.5)
        if gpus is None:
            assert isinstance(found, Hole)
        else:
            one = found.high if isinstance(found, Within) else found
            assert isinstance(one, Given) and (one.value.value, one.value.dim) == (gpus, GPU)


def test_a_part_of_a_gpu_is_none() -> None:
    assert codes("hardware: 0.3 nodes x H100 for 1 day in nodes of 8\n") == ["U004"]


def test_both_spellings_count_alike() -> None:
    lines = """model { params: 1B; context: 4096 tokens }
hardware: 12 nodes x H100 for 1 day @ 20 USD/node/hour in nodes of 8
tokens: 3000 steps
optimizer: AdamW { batch: 1024 sequences }
phase warmup: 2000 sequences warmup
phase stable: rest constant
phase decay: 10% linear
"""
    yaml = """model: {params: 1B, context: 4096 tokens}
hardware: 12 nodes x H100 for 1 day @ 20 USD/node/hour in nodes of 8
tokens: 3000 steps
optimizer: "AdamW { batch: 1024 sequences }"
schedule:
  warmup: 2000 sequences warmup
  stable: rest constant
  decay: 10% linear
"""
    tree, _ = parse_yaml(Source("p.plan.yaml", yaml))
    other = lower(tree, LIBRARY.vocabulary()).plan
    assert other is not None and plan_of(lines).stages == other.stages


# ---- ranges


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("price: 1.5 .. 2.5 USD/GPU/hour", "price"),
        ("mfu: 38 .. 43%", "mfu"),
        ("power: 600 .. 700 W", "power"),
    ],
)
def test_a_range_says_its_unit_once(text: str, figure: str) -> None:
    name, _, both = text.partition(": ")
    low, _, high = both.partition(" .. ")
    unit = high.lstrip("0123456789.")
    texts = (text, f"{name}: {low}{unit} .. {high}")
    once, twice = (
        plan_of(f"hardware {{ gpus: 8; device: H100; time: 1 day; {t} }}\n").stages[0].hardware[0].figures[figure]
        for t in texts
    )
    assert isinstance(once, Within) and isinstance(twice, Within) and once.low and twice.low and once.high
    assert once.low.value == twice.low.value and once.low.value.value < once.high.value.value


def test_a_range_is_of_one_kind() -> None:
    assert codes("data: 1T tokens\noptimizer: AdamW { batch: 1M tokens }\ntokens: 1000 steps .. 2 epochs\n") == ["U001"]
    condition = "require price in 1.5 .. 2.5 USD/GPU/hour\n"
    assert codes("hardware: 8 x H100 for 1 day @ 2 USD/GPU/hour\n" + condition) == []


# ---- comparisons


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("steps <= 100k steps", []),
        ("steps <= 100k", []),
        ("epochs <= 2 epochs", []),
        ("epochs <= 2", []),
        ("nodes <= 12 nodes", []),
        ("gpus <= 12 nodes", []),
        ("batch <= 1024 sequences", []),
        ("steps <= 2 epochs", ["U001"]),
        ("tokens <= 100k steps", ["U001"]),
        ("nodes <= 96 GPU", []),
        ("epochs <= 50%", ["U001"]),
        ("tokens <= 50%", ["U001"]),
        ("batch <= 1024", ["U003"]),
    ],
)
def test_comparisons_do_not_mix_counts(condition: str, found: list[str]) -> None:
    text = """model { params: 1B; context: 4096 tokens }
hardware: 96 x H100 for 1 day in nodes of 8
data: 1T tokens
require """
    assert codes(text + condition + "\n") == found


@pytest.mark.parametrize(("text", "value"), [("2Ti", 2.0**41), ("3Gi", 3.0 * 2**30), ("2Mi", 2.0**21)])
def test_binary_suffixes_are_read_and_flagged(text: str, value: float) -> None:
    file, _ = parse_file(Source("p.plan", f"tokens: {text} tokens\n"))
    found = lower(file, LIBRARY.vocabulary())
    assert [f.code for f in found.findings] == ["D009"] and found.plan is not None
    tokens = found.plan.stages[0].tokens
    assert isinstance(tokens, Given) and tokens.value.value == value
    assert EPOCH != TOKEN
