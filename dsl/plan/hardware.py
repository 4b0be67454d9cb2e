"""`hardware` to its pools of devices, and `reserve` to the share of them that is kept back."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.text import shown
from runplan.dsl.packs.devices import meant, named_as, one_of
from runplan.dsl.plan.ir import Amount, Given, Hole, Pool, Reserve, Within
from runplan.dsl.plan.reading import Reading
from runplan.dsl.plan.sizes import NOT_SAID
from runplan.dsl.syntax.tree import Mention, Node, Word, unquoted
from runplan.dsl.syntax.views import Reasoned, pool_fields, pools_of, spec_of
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.fixes import respelled
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Span
from runplan.dsl.typed.fields import RESERVE

# The fields of a pool that are no figures.
NAMED = ("device", "precision", "paid", "from", "until")
# For which hours a pool is paid.
PAID = ("reserved", "running")


def hardware(reading: Reading, node: Node) -> tuple[Pool, ...]:
    """The pools of a `hardware` statement."""
    pools = tuple(_pool(reading, pool) for pool in pools_of(spec_of(node)))
    if len(pools) > 1:
        reading.sizes["node"] = "say it in GPUs: each of the pools has nodes of its own"
    return pools


def _pool(reading: Reading, node: Node) -> Pool:
    """A pool in either form."""
    in_block = node.rule == "hw_block"
    reading.sizes["node"] = "add `nodes_of: 8` to the hardware" if in_block else NOT_SAID["node"]
    device: Mention | None = None
    precision: Mention | None = None
    paid: Mention | None = None
    fields = reading.fields("hardware")
    figures: dict[str, Amount] = {}
    dates: dict[str, Given | Hole] = {}
    seen: dict[str, Span] = {}
    unknown = False
    if node.rule == "pool" and _is_turned_round(reading, node):
        return Pool(device=None, precision=None, paid=None, figures={}, dates={}, span=node.span)
    # What a node is comes first: a count or a price may be by the node.
    for field in sorted(pool_fields(node), key=lambda field: field.name != "nodes_of"):
        name, value = field.name, field.value
        # On one line an MFU and an achieved rate both follow an `at`, of which there is one.
        priced = name == "rate" and not in_block and _PRICED.search(value.span.text)
        slot = "price" if priced else "mfu" if name == "rate" and not in_block else name
        if slot in seen:
            reading.again(name, field.span, seen[slot])
            continue
        seen[slot] = field.span
        if priced and isinstance(value, Node):
            reading.findings.append(_price_at(reading, value, field.span))
        elif isinstance(value, Word):
            if name == "precision":
                precision = Mention(value.text.lower(), value.span)
            elif name == "paid":
                paid = _paid(reading, value)
            elif value.type == "HOLE":
                dates[name] = Hole(value.span)
            else:
                dates[name] = reading.day(value, value.span)
        elif name == "device":
            device = _device(reading, value)
        elif name in fields:
            said, amount = _figure(reading, name, value, field.at_most)
            figures |= {said: amount} if amount else {}
            if name == "nodes_of" and isinstance(amount, Given):
                reading.sizes["node"] = amount
        elif field.word is not None:
            unknown = True
            reading.unknown_field(field.word, "hardware", [*fields, *NAMED], field.value.span.text)
    _check_dates(reading, dates)
    _check_one_rate(reading, figures)
    if node.rule == "pool" and "time" not in seen and not {"from", "until"} <= seen.keys():
        help = ["write `for 30 days`, or `for ?` to ask how long; beside `from` and `until` it may be left out"]
        reading.findings.append(finding("S001", "for how long is not said", node.span, help=help))
    named = device is not None or unknown or reading.may_miss("hardware")
    if not named and not {*REACHED[1:], "peak"} & figures.keys():
        help = ["add `device: H100`, or `rate` or `peak`"]
        reading.findings.append(finding("C004", "the hardware names no device", node.span, help=help))
    return Pool(device=device, precision=precision, paid=paid, figures=figures, dates=dates, span=node.span)


def _paid(reading: Reading, word: Word) -> Mention:
    if word.text not in PAID:
        help = [*did_you_mean(word.text, PAID), "`reserved` pays for all hours, `running` for those in which it runs"]
        message, fixes = f"`paid` is {' or '.join(PAID)}, not `{word.text}`", respelled(word.span, word.text, PAID)
        reading.findings.append(finding("N002", message, word.span, help=help, fixes=fixes))
    return Mention(word.text, word.span)


def _is_turned_round(reading: Reading, node: Node) -> bool:
    """Whether the device stands where the count is, as in `H100 x 64`; that has its finding."""
    given = {field.name: field.value.span for field in pool_fields(node)}
    count, device = given["gpus"], given["device"]
    devices = reading.vocabulary.devices
    if meant(count.text, devices) is None or meant(device.text, devices) is not None:
        return False
    help = [f"write `{device.text} x {count.text}`"]
    reading.findings.append(finding("S001", "the count stands before the device", count.to(device), help=help))
    return True


def _device(reading: Reading, node: Node) -> Mention:
    name = Mention(unquoted(node.word(0).text), node.span)
    devices = reading.vocabulary.devices
    if meant(name.text, devices) is None and not reading.excused(name.text):
        help = one_of(name.text, devices)
        message, fixes = f"unknown device `{name.text[:60]}`", named_as(name.span, name.text, devices)
        reading.findings.append(finding("N002", message, name.span, help=help, fixes=fixes))
    return name


_PRICED = pattern(r"\b[A-Z]{3}/")
# What a device reaches, each said in its own way: one of them says it all.
REACHED = ("mfu", "rate", "throughput", "joint_throughput", "step_time")
# What may stand in the place of a field, told by what it is counted in.
_INSTEAD = {"rate": REACHED[2:], "throughput": ("joint_throughput",)}


def _figure(reading: Reading, name: str, value: Node, at_most: bool) -> tuple[str, Amount | None]:
    """A figure, and the field that it is of: `at 8 s/step` is no rate in FLOP."""
    fields = reading.fields("hardware")
    others = {other: fields[other] for other in _INSTEAD.get(name, ())}
    amount = reading.amount(value, replace(fields[name], instead=tuple(others.values())), at_most)
    end = amount.low or amount.high if isinstance(amount, Within) else amount
    dim = end.value.dim if isinstance(end, Given) else fields[name].dim
    return next((other for other, field in others.items() if field.dim == dim), name), amount


def _price_at(reading: Reading, value: Node, span: Span) -> Finding:
    """A price in the place of what a device reaches: where it can be read as one, it is only to be moved."""
    price, found = reading.fields("hardware")["price"], len(reading.findings)
    reading.amount(value, price)
    is_one = len(reading.findings) == found
    del reading.findings[found:]  # one mistake is told once
    message = f"`at {value.span.text}` is a price, and what a device reaches stands behind `at`"
    help = [f"write `@ {value.span.text}`" if is_one else f"write it like `@ {price.example}`"]
    return finding("U001", message, span, help=help)


def _check_one_rate(reading: Reading, figures: Mapping[str, Amount]) -> None:
    said = [(name.removeprefix("joint_"), figures[name].span) for name in REACHED if name in figures]
    for name, span in said[1:]:
        first, at = said[0]
        message = f"`{first}` and `{name}` both say what a device reaches"
        help = [f"leave out `{first}`, or `{name}`"]
        found = finding("C001", message, span, also=[Label(at, f"`{first}` is here")], help=help)
        reading.findings.append(found)


def _check_dates(reading: Reading, dates: Mapping[str, Given | Hole]) -> None:
    begin, end = dates.get("from"), dates.get("until")
    if isinstance(begin, Given) and isinstance(end, Given) and begin.value.value >= end.value.value:
        message = f"the hardware ends {shown(end.expr)}, before it begins"
        also = [Label(begin.span, "it begins here")]
        help = [f"write `from {shown(end.expr)} until {shown(begin.expr)}`"]
        reading.findings.append(finding("U004", message, end.span, also=also, help=help))


def reserve(reading: Reading, node: Node) -> Reserve | None:
    """The share that is not for the run."""
    spec = Reasoned(spec_of(node))
    share = reading.amount(spec.value, RESERVE)
    if share is None:
        return None
    least = share.low if isinstance(share, Within) else share
    if isinstance(least, Given) and least.value.value >= 1.0:
        reading.findings.append(finding("U004", "the reserve is all of the hardware", spec.value.span))
        return None
    return Reserve(share, spec.reason, node.span)
