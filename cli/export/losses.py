"""What several formats find no place for: an optimizer, a precision, parts of a layout, fields of a shape."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from runplan.cli.export.training import Said, Shape, Training
from runplan.dsl.text.words import listing

_PARTS = ("tp", "pp", "cp", "ep", "etp")


def lost_layout(run: Training, *, help: str = "") -> Iterator[Said]:
    """The parts that a model is cut into, where the format carries none."""
    if run.layout is None:
        return
    for name in _PARTS:
        count = getattr(run.layout, name)
        if count > 1:
            yield run.lost("layout", f"the layout's {name} {count}", help or f"write `{name} 1`", f"layout.{name}")


def lost_selective(run: Training) -> Iterator[Said]:
    """That a part of each layer is computed again, where the trainer does so with all of it or with nothing."""
    if run.layout is not None and run.layout.selective:
        told = "activations that are computed again in part"
        yield run.lost("recompute", told, "write `recompute full`, or `recompute none`", "layout.recompute")


def lost_recompute(run: Training) -> Iterator[Said]:
    """That activations are computed again, where the trainer has no setting for it."""
    if run.layout is not None and (run.layout.recompute or run.layout.selective):
        yield run.lost("recompute", "that activations are computed again", at="layout.recompute")


def lost_optimizer(run: Training, known: Collection[str], settings: Collection[str]) -> Iterator[Said]:
    """An optimizer that the trainer does not have, and settings that it does not take.

    Args:
        known: In lower case.
    """
    if run.optimizer.lower() not in known:
        yield run.lost("optimizer", f"the optimizer, {run.optimizer}", f"it has {listing(sorted(known))}")
    for name in run.settings:
        if name not in settings:
            yield run.lost("optimizer", f"the optimizer's `{name}`", at=f"optimizer.{name}")


def lost_precision(run: Training, known: Collection[str]) -> Iterator[Said]:
    """A precision that the trainer does not have."""
    if run.precision not in known:
        yield run.lost("precision", f"the precision, {run.precision}", f"it has {listing(known)}")


def lost_shape(run: Training, carried: Collection[str], also: str = "") -> Iterator[Said]:
    """The fields in which a shape is more than the format can say.

    Args:
        also: What else it cannot say of this shape, in words.
    """
    shape = run.shape
    assert shape is not None
    for name in sorted(shape.beyond - {*carried}):
        yield run.lost("model", f"the model's `{name}`", at=f"model.{name}")
    if also:
        yield run.lost("model", also)


def head_fits(shape: Shape) -> bool:
    """Whether heads share out the width of the model evenly, as where no width of a head is said."""
    return shape.heads * shape.head_dim == shape.hidden
