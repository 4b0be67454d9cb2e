"""Two states of a plan to the statements that differ, each by what it says something of, and to what lies between them.

A statement is known by its slot: `hardware`, `data web`, `let budget`, `require cost`. That stays where lines move and
figures change, and is the same in both spellings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from runplan.dsl.dataclass import dataclass
from runplan.dsl.syntax.statements import BY_RULE
from runplan.dsl.syntax.tree import Node, Word, leaves, unquoted

# From the outermost on: `("stage finetune", "data web")`.
Slot = tuple[str, ...]
# What a plan is called says nothing of what it comes to.
_TITLES = frozenset(("plan",))
_REQUIRED = frozenset(("require", "prefer"))
# Statements that are given in each other's place: a budget, however it is said.
_TOGETHER = (frozenset(("hardware", "compute")), frozenset(("schedule", "phase")), frozenset(("data", "data_named")))


@dataclass(frozen=True, slots=True)
class Change:
    """What one place of a plan said, and says.

    Attributes:
        slots: What it is about; several where neither says anything without the other.
        then, now: The statements; none where it was added, or taken out.
        part: The field of the statement that changed, where it is told apart from others; empty for all of it.
        texts: What that part said, and says.
    """

    slots: tuple[Slot, ...]
    then: tuple[Node, ...]
    now: tuple[Node, ...]
    part: str = ""
    texts: tuple[str, str] = ("", "")

    @property
    def name(self) -> str:
        """As people read it: `hardware`, or `stage finetune: tokens`."""
        return ", ".join(": ".join(slot) for slot in self.slots) + (f": {self.part}" if self.part else "")


def slot_of(statement: Node) -> str:
    """What a statement says something of."""
    rule, first = statement.rule, next(iter(statement.children), None)
    if rule in _REQUIRED:
        named = next((leaf.text for leaf in leaves(statement) if leaf.type == "NAME"), "")
        return f"{rule} {named}".rstrip()
    if rule == "override":
        return slot_of(next(statement.nodes()))
    if rule == "record":
        return f"{statement.word(0).text} {unquoted(statement.word(1).text)}"
    row = BY_RULE.get(rule)
    keyword = row.keyword if row else rule.removesuffix("_def")
    if row and row.times == "once":
        return keyword if row.slot != "the goal" else "minimize"
    if isinstance(first, Word):
        return f"{keyword} {unquoted(first.text)}"
    name = next(iter(leaves(statement)), None)
    return f"{keyword} {unquoted(name.text)}" if name else keyword


def slots_of(statements: Iterable[Node], within: Slot = (), whole: Set[str] = frozenset()) -> list[tuple[Slot, Node]]:
    """The statements with their slots; those of a stage by themselves, but for the stages that are to stay whole."""
    found: list[tuple[Slot, Node]] = []
    for statement in statements:
        slot = (*within, slot_of(statement))
        block = statement.node("plan_block") if statement.rule == "stage" and slot[-1] not in whole else None
        found += slots_of(block.nodes(), slot) if block else [(slot, statement)]
    return found


def slot_at(statements: Iterable[Node], start: int) -> Slot:
    """The slot of the statement in which a place of the text lies; none where it lies in none."""
    around = [slot for slot, node in slots_of(statements) if node.span.start <= start < max(node.span.end, 1)]
    return around[-1] if around else ()


def changes(then: Sequence[Node], now: Sequence[Node]) -> tuple[Change, ...]:
    """The statements that differ, in the order in which they stand."""
    stages = [{slot_of(node) for node in side if node.rule == "stage"} for side in (then, now)]
    sides = [_by_slot(side, whole=stages[0] ^ stages[1]) for side in (then, now)]
    found: list[Change] = []
    for slot in dict.fromkeys((*sides[1], *sides[0])):
        was, is_ = sides[0].get(slot, ()), sides[1].get(slot, ())
        if was != is_ and slot[-1] not in _TITLES:
            found += _apart(slot, was, is_)
    return tuple(_together(found))


def _by_slot(statements: Sequence[Node], whole: Set[str]) -> dict[Slot, tuple[Node, ...]]:
    found: dict[Slot, tuple[Node, ...]] = {}
    for slot, statement in slots_of(statements, whole=whole):
        found[slot] = (*found.get(slot, ()), statement)
    return found


def _apart(slot: Slot, then: tuple[Node, ...], now: tuple[Node, ...]) -> list[Change]:
    """The change of one slot; of several statements in it those that stay are left out."""
    gone, come = _without(then, now), _without(now, then)
    if gone or come:
        return [Change((slot,), gone, come)]
    return []  # the same in another order


def _without(of: Iterable[Node], others: Iterable[Node]) -> tuple[Node, ...]:
    rest, left = list(others), []
    for node in of:
        if node in rest:
            rest.remove(node)
        else:
            left.append(node)
    return tuple(left)


def _together(found: Sequence[Change]) -> list[Change]:
    """The changes, those as one of which none says anything without the other.

    That is what is given in place of something else, and a name that is new, or gone, with what mentions it.
    """
    groups = [[change] for change in found]

    def join(one: Change, other: Change) -> None:
        first, second = (next(group for group in groups if change in group) for change in (one, other))
        if first is not second:
            first += second
            groups.remove(second)

    for i, one in enumerate(found):
        for other in found[:i]:
            if _replaces(one, other) or _names(one, other) or _names(other, one):
                join(other, one)
    joined = (sorted(group, key=found.index) for group in groups)
    return [
        Change(
            tuple(slot for change in group for slot in change.slots),
            tuple(node for change in group for node in change.then),
            tuple(node for change in group for node in change.now),
        )
        for group in joined
    ]


def _replaces(one: Change, other: Change) -> bool:
    """Whether one came where the other went."""
    if one.slots[0][:-1] != other.slots[0][:-1]:
        return False
    rules = [{node.rule for node in (*change.then, *change.now)} for change in (one, other)]
    partly = bool(one.then) != bool(one.now) and bool(other.then) != bool(other.now)
    return partly and bool(one.then) != bool(other.then) and any(rules[0] | rules[1] <= group for group in _TOGETHER)


def _names(one: Change, other: Change) -> bool:
    """Whether a change mentions a name that another one brings, or takes away."""
    if bool(other.then) == bool(other.now) or other.slots[0][-1].split(" ")[0] in (*_REQUIRED, "phase"):
        return False
    name = other.slots[0][-1].partition(" ")[2]
    return bool(name) and any(
        leaf.text == name or leaf.text.endswith(f".{name}") for node in (*one.then, *one.now) for leaf in leaves(node)
    )


def with_change(statements: Sequence[Node], change: Change, within: Slot = ()) -> tuple[Node, ...]:
    """The statements with what a change says now in place of what it said then."""
    out: list[Node] = []
    places = {slot for slot in change.slots if slot[:-1] == within}
    at: int | None = None
    for statement in statements:
        slot = (*within, slot_of(statement))
        block = statement.node("plan_block") if statement.rule == "stage" else None
        if block is not None and slot not in places:
            inside = Node(block.rule, with_change(tuple(block.nodes()), change, slot), block.span)
            out.append(Node(statement.rule, (statement.children[0], inside), statement.span))
        elif slot in places and statement in change.then:
            at = len(out) if at is None else at
        else:
            out.append(statement)
    come = [node for node in change.now if places and (*within, slot_of(node)) in places]
    place = len(out) if at is None else at
    return (*out[:place], *come, *out[place:])
