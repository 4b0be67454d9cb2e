"""`dataclass`, `field` and `replace` as of the standard library, for what they cost where many classes are defined.

Type checkers see the standard library's. At run time it would write and compile six methods for each class, which took
most of the time that `plan check` spends on its imports: here all classes share equality, hash, representation and the
refusal to be changed, and a constructor is compiled once its class is used often; a module of an installed wheel has
its code already. What this project does not use (`order`, `kw_only`, `eq=False`) is not here. docs/design/0016 has the
figures.
"""

from __future__ import annotations

import sys
from itertools import repeat
from operator import attrgetter

TYPE_CHECKING = False  # that of `typing`, which takes as long to import as all of this saves on a class or two
if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
    from types import CodeType

    def constructor_of(cls: type) -> CodeType: ...
else:
    _MISSING = object()
    _OFTEN = 6  # constructions after which compiling the constructor pays

    class field:
        """What is special about one field."""

        __slots__ = ("compare", "default", "factory", "init", "repr")

        def __init__(
            self, *, default=_MISSING, default_factory=_MISSING, init=True, repr=True, hash=None, compare=True
        ) -> None:
            self.default, self.factory = default, default_factory
            self.init, self.repr, self.compare = init, repr, compare

    _PLAIN = field()  # one of which nothing is special: most are

    def dataclass(cls=None, /, *, frozen=False, slots=False):
        """A class with a constructor over its annotated fields, equal by those that compare.

        What it gives without a class takes one, or the name, bases and body of one. As it decorates, a class that has
        slots is made twice; where it stands as the metaclass, as runplan/make_modules.py has it, once.
        """
        if cls is not None:
            return _made(_parts(cls), frozen, slots)
        return lambda *of: _made(of if len(of) > 1 else _parts(*of), frozen, slots)

    def replace(item, /, **changes):
        """A copy with some fields changed.

        Raises `TypeError` for a name that is no field of the constructor.
        """
        names = item.__match_args__
        if not changes.keys() <= set(names):
            raise TypeError(f"a {type(item).__name__} has no {', '.join(changes.keys() - set(names))} to be replaced")
        return item.__class__(*map(changes.get, names, map(getattr, repeat(item), names)))

    def _parts(cls):
        """A class as what it is made of: its name, its bases, and its body."""
        return (
            cls.__name__,
            cls.__bases__,
            {k: v for k, v in cls.__dict__.items() if k not in ("__dict__", "__weakref__")},
        )

    def _made(of, frozen, slots):
        name, bases, own_body = of
        fields, own = {}, []
        for base in reversed(bases):
            fields.update(getattr(base, "__fields__", ()))
        for each, annotation in own_body.get("__annotations__", {}).items():
            if not annotation.startswith("ClassVar"):
                given = own_body.pop(each, _PLAIN)
                fields[each] = given if given.__class__ is field else field(default=given)
                own.append(each)
        body = {
            "__fields__": fields,
            "__match_args__": tuple([each for each, one in fields.items() if one.init]),
            "__repr__": _repr,
        }
        if "__eq__" not in own_body:
            key = attrgetter(*names) if (names := [each for each, one in fields.items() if one.compare]) else _nothing
            body.update(__key__=key, __eq__=_eq, __hash__=_hash if frozen else None)
        if frozen:
            body.update(__setattr__=_refuse, __delattr__=_refuse)
        defined = body | own_body
        if slots:
            defined.update(__slots__=own, __getstate__=_state, __setstate__=_restore)
        elif "__hash__" in body:
            defined["__hash__"] = body["__hash__"]
        made = type(bases[0] if bases else object)(name, bases, defined)
        made.__init__ = _constructor(made, fields)
        return made

    def _constructor(cls, fields):
        """A constructor that works at once, and has itself compiled when it turns out to be used."""
        often = 0
        code = vars(sys.modules[cls.__module__]).get("__constructors__", {}).get(cls.__qualname__)

        def __init__(self, *args, **named):
            nonlocal often
            often += 1
            if code or often > _OFTEN:
                known = _known(cls, fields)
                exec(code or constructor_of(cls), known)
                cls.__init__ = known["__init__"]
                cls.__init__(self, *args, **named)
                return
            taken = [name for name, one in fields.items() if one.init]
            if len(args) > len(taken):
                raise TypeError(f"{cls.__name__}() takes {len(taken)} arguments but {len(args)} were given")
            values = dict(zip(taken, args, strict=False))
            for name, value in named.items():
                if name in values or name not in taken:
                    raise TypeError(f"{cls.__name__}() got an unexpected or second argument {name!r}")
                values[name] = value
            for name, one in fields.items():
                if name not in values:
                    if one.factory is not _MISSING:
                        values[name] = one.factory()
                    elif one.default is not _MISSING:
                        values[name] = one.default
                    elif one.init:
                        raise TypeError(f"{cls.__name__}() lacks the argument {name!r}")
                    else:
                        continue
                _set(self, name, values[name])
            if hasattr(cls, "__post_init__"):
                self.__post_init__()

        return __init__

    def constructor_of(cls):
        """The code that defines the constructor of a class as one function, over the names that `_known` gives."""
        heads, lines = [], []
        for name, one in cls.__fields__.items():
            put = _putter(cls, name)
            if not one.init:
                if one.factory is not _MISSING:
                    lines.append(put(f"_make_{name}()"))
                elif one.default is not _MISSING:
                    lines.append(put(f"_default_{name}"))
            elif one.factory is not _MISSING:
                heads.append(f"{name}=_none")
                lines.append(put(f"_make_{name}() if {name} is _none else {name}"))
            else:
                heads.append(name if one.default is _MISSING else f"{name}=_default_{name}")
                lines.append(put(name))
        if hasattr(cls, "__post_init__"):
            lines.append(" self.__post_init__()")
        text = f"def __init__(self, {', '.join(heads)}):\n" + "\n".join(lines or [" pass"])
        return compile(text, f"<{cls.__qualname__}>", "exec")

    def _known(cls, fields):
        """What the code of a constructor has names for."""
        known = {"_none": _MISSING}
        frozen = cls.__setattr__ is _refuse
        for name, one in fields.items():
            if one is not _PLAIN:
                if one.factory is not _MISSING:
                    known["_make_" + name] = one.factory
                elif one.default is not _MISSING:
                    known["_default_" + name] = one.default
            if frozen and (put := getattr(getattr(cls, name, None), "__set__", None)):
                known["_put_" + name] = put
        return known

    def _putter(cls, name):
        """How a constructor sets one field: past the refusal where the class is frozen."""
        if cls.__setattr__ is not _refuse:
            return lambda value: f" self.{name} = {value}"
        if "__set__" in dir(type(getattr(cls, name, None))):
            return lambda value: f" _put_{name}(self, {value})"
        return lambda value: f" self.__dict__[{name!r}] = {value}"

    _set = object.__setattr__

    def _refuse(self, name, *value):
        raise AttributeError(f"cannot change {name!r} of a {type(self).__name__}, which is immutable")

    def _eq(self, other):
        if self is other:
            return True
        if other.__class__ is not self.__class__:
            return NotImplemented
        key = self.__class__.__key__
        return key(self) == key(other)

    def _hash(self):
        return hash(self.__class__.__key__(self))

    def _repr(self):
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name, one in self.__fields__.items() if one.repr)
        return f"{type(self).__qualname__}({shown})"

    def _state(self):
        return {name: getattr(self, name) for name in self.__fields__ if hasattr(self, name)}

    def _restore(self, state):
        for name, value in state.items():
            _set(self, name, value)

    def _nothing(self):
        return ()


__all__ = ["dataclass", "field", "replace"]
