"""A change of a plan's hardware to the changes of its fields, each by itself."""

from __future__ import annotations

from runplan.dsl.dataclass import replace
from runplan.dsl.plan.hardware import REACHED
from runplan.dsl.plan.overrides import in_block
from runplan.dsl.syntax.changes import Change
from runplan.dsl.syntax.tree import Node
from runplan.dsl.syntax.views import PoolField, pool_fields, pools_of, spec_of


def by_field(change: Change) -> tuple[Change, ...]:
    """A change of one pool of hardware as those of its fields; any other as it is.

    Each has the pool as it was but for its field, turned into the block that means the same.
    """
    pools = [
        [pools_of(spec_of(node)) for node in side if node.rule == "hardware"] for side in (change.then, change.now)
    ]
    if len(change.slots) > 1 or any(len(side) != 1 or len(side[0]) != 1 for side in pools):
        return (change,)
    then, now = ({field.name: field for field in pool_fields(side[0][0])} for side in pools)
    differ = [name for name in {**then, **now} if _said(then.get(name)) != _said(now.get(name))]
    if not differ or len(set(REACHED) & set(differ)) > 1:
        return (change,)
    if len(differ) == 1:
        name = differ[0]
        return (replace(change, part=name, texts=(_text(then.get(name)), _text(now.get(name)))),)
    stated, is_ = change.then[0], change.now[0]

    def alone(name: str) -> Change:
        fields = {**then, name: now[name]} if name in now else {key: one for key, one in then.items() if key != name}
        block = Node("hw_block", tuple(map(in_block, fields.values())), stated.span)
        made = Node(stated.rule, (Node("hw_spec", (block,), stated.span),), is_.span)
        texts = (_text(then.get(name)), _text(now.get(name)))
        return Change(change.slots, change.then, (made,), name, texts)

    return tuple(map(alone, differ))


def _said(field: PoolField | None) -> tuple[object, bool] | None:
    return None if field is None else (field.value, field.at_most)


def _text(field: PoolField | None) -> str:
    return field.span.text if field else ""
