"""Our `dataclass` is the standard library's, in all that this project uses of it."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import sys
from types import CodeType, ModuleType

import pytest

from runplan.dsl import dataclass as ours
from runplan.make_modules import code_of

TEXT = '''
from __future__ import annotations

@dataclass(frozen=True, slots=True)
class Plain:
    """Documented."""
    a: int
    b: str = "b"
    c: list = field(default_factory=list, compare=False)
    d: int = field(default=4, repr=False)

    def twice(self):
        return self.a * 2

    @property
    def half(self):
        return self.a / 2

@dataclass(frozen=True, slots=True)
class More(Plain):
    e: float = 1.5

@dataclass(slots=True)
class Loose:
    a: int
    b: list = field(default_factory=list)

@dataclass(frozen=True)
class Open:
    a: int
    _made: dict = field(default_factory=dict, init=False, repr=False, compare=False)

@dataclass(frozen=True, slots=True)
class Filled:
    a: int
    b: int = field(init=False, compare=False)

    def __post_init__(self):
        object.__setattr__(self, "b", self.a + 1)

@dataclass(frozen=True, slots=True)
class Own:
    a: int

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 7

@dataclass(frozen=True, slots=True)
class Nothing:
    pass
'''


def module(source: ModuleType, name: str, code: CodeType | str = TEXT) -> ModuleType:
    made = ModuleType(name)
    sys.modules[name] = made  # where the standard library and pickle look for it
    made.__dict__.update(dataclass=source.dataclass, field=source.field)
    exec(code, made.__dict__)
    return made


OURS, THEIRS = module(ours, "runplan_ours"), module(dataclasses, "runplan_theirs")
# As an installed wheel has it: made once, by what decorates a class as its metaclass.
ONCE = module(ours, "runplan_once", code_of(TEXT, "once.py"))
either = pytest.mark.parametrize("own", (OURS, ONCE), ids=("decorated", "once"))
CALLS: tuple[tuple[str, tuple[object, ...], dict[str, object]], ...] = (
    ("Plain", (1,), {}),
    ("Plain", (1, "x"), {"d": 5}),
    ("Plain", (), {"a": 1, "c": [1]}),
    ("Plain", (), {}),
    ("Plain", (1, 2, 3, 4, 5), {}),
    ("Plain", (1,), {"a": 2}),
    ("Plain", (1,), {"z": 2}),
    ("More", (1,), {"e": 2.5}),
    ("More", (1, "b", [], 4, 2.5), {}),
    ("Loose", (1,), {}),
    ("Loose", (1, [2]), {}),
    ("Open", (1,), {}),
    ("Open", (1, {}), {}),
    ("Filled", (1,), {}),
    ("Own", (1,), {}),
    ("Nothing", (), {}),
)


def made(source: ModuleType, name: str, args: tuple[object, ...], named: dict[str, object]) -> object:
    try:
        return getattr(source, name)(*args, **named)
    except TypeError:
        return TypeError


# Ten of each: the constructor is compiled on the way.
@pytest.mark.parametrize("again", range(10))
@either
def test_it_makes_and_compares_what_the_standard_librarys_does(own: ModuleType, again: int) -> None:
    for name, args, named in CALLS:
        mine, other = made(own, name, args, named), made(THEIRS, name, args, named)
        assert repr(mine) == repr(other), (name, args, named)
    pairs = [(made(own, *one), made(THEIRS, *one)) for one in CALLS]
    for mine, other in pairs:
        assert [mine == another for another, _ in pairs] == [other == another for _, another in pairs]
        assert hashable(mine) == hashable(other)
    assert len({hash(own.Plain(1)), hash(own.Plain(1, "b", [2]))}) == 1


def hashable(item: object) -> bool:
    try:
        return isinstance(hash(item), int)
    except TypeError:
        return False


@either
def test_what_is_frozen_cannot_be_changed(own: ModuleType) -> None:
    for item in (own.Plain(1), own.More(1), own.Open(1), own.Filled(1)):
        with pytest.raises(AttributeError, match="immutable"):
            item.a = 2
        with pytest.raises(AttributeError, match="immutable"):
            del item.a
    loose = own.Loose(1)
    loose.a = 2
    assert loose.a == 2
    with pytest.raises(AttributeError):
        loose.z = 1


@either
def test_a_copy_with_changes_is_another_of_its_class(own: ModuleType) -> None:
    first = own.More(1, "x")
    assert ours.replace(first, e=2.5) == own.More(1, "x", e=2.5)
    assert first.e == 1.5
    with pytest.raises(TypeError):
        ours.replace(first, z=1)
    # What is not given to the constructor is made anew.
    assert ours.replace(own.Filled(1), a=5).b == 6


@either
def test_it_is_copied_and_pickled_whole(own: ModuleType) -> None:
    for name, args, named in CALLS:
        item = made(own, name, args, named)
        if item is not TypeError:
            assert copy.copy(item) == item
            assert copy.deepcopy(item) == item
            assert pickle.loads(pickle.dumps(item)) == item


@either
def test_patterns_and_documents_see_its_fields(own: ModuleType) -> None:
    match own.Plain(1, "x"):
        case own.Plain(a, b):
            assert (a, b) == (1, "x")
    assert own.Plain.__doc__ == "Documented."
    assert (own.Plain(3).twice(), own.Plain(3).half) == (6, 1.5)
