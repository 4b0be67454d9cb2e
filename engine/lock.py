"""What the numbers of a project rest on, and what its plans come to: as data, as the text of `runplan.lock`, and back.

Sorted, a line a fact, so that two branches that each change one plan merge.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.packs.library import Library
from runplan.dsl.syntax.imports import read_file
from runplan.dsl.text.errors import BadConfig
from runplan.dsl.text.limits import MAX_LOCK_BYTES
from runplan.dsl.text.reader import Buffer, Reader, decoded
from runplan.dsl.text.recorded import Recording
from runplan.dsl.types import Any
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.parse import unit as unit_of
from runplan.dsl.units.show import show
from runplan.dsl.units.table import UnknownUnit
from runplan.engine.differences.sides import SAME, told
from runplan.engine.documents.figures import amount
from runplan.engine.report import Assumption, Report

SCHEMA = "plan.lock/v1"
_HEAD = "# What the plans here rest on, and what they come to. `plan lock` writes it; do not edit it, and commit it.\n"
# A number, or a date as text, and its unit of exchange.
Figure = tuple[float | str, str]
# Of the figures: those beyond may differ between machines.
_DIGITS = 9
# Where what is said of a plan begins.
_PLAN = re.compile(r'^\[plans\.("(?:[^"\\\n]|\\.)*"|[\w-]+)(?:\.\w+)?\][ \t]*$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Locked:
    """A plan as it was when it was locked.

    Attributes:
        text: A digest of what it says, and of what it imports.
        status: `solved`, `infeasible` or `undecided`.
        law: The law that decides.
        values: Its quantities, each with its unit of exchange; a date as its text.
        defaults: What was taken where it says nothing, as text.
    """

    text: str
    status: str
    law: str
    values: Mapping[str, Figure] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lock:
    """What a project rests on.

    Attributes:
        runplan: The version of the program.
        library: A digest of the standard library.
        packs, budgets: Digests of the files of packs, and of what folders ask of their plans, by their paths.
        plans: By their paths from the lock's folder.
    """

    runplan: str
    library: str
    packs: Mapping[str, str]
    plans: Mapping[str, Locked]
    budgets: Mapping[str, str] = field(default_factory=dict)


# ---- what is locked


def rests_on(library: Library, reader: Reader, version: str) -> Lock:
    """A lock of no plans yet.

    Args:
        reader: Of the project, which knows the names of files from its root.
    """
    brought = {file.source.path: file.source.text for file in library.shelf.brought}
    standard = ((one.path, one.text) for one in library.shelf.sources if one.path not in brought)
    packs = {path: _digest([("", text)]) for path, text in brought.items()}
    named = ((reader.resolve(one.source.path), one.source) for one in library.budgets)
    budgets = {name or posixpath.basename(source.path): _digest([("", source.text)]) for name, source in named}
    return Lock(version, _digest(standard), packs, {}, budgets)


def locked(report: Report, reader: Reader) -> Locked:
    """A plan that could be read, as it is now."""
    first = report.solutions[0]
    return Locked(said(report, reader), first.status, first.resolved, values_of(report), defaults_of(report))


def values_of(report: Report) -> dict[str, Figure]:
    """The quantities of a plan that is solved, under the law that decides."""
    first = report.solutions[0]
    values = told(first) if first.status == "solved" else {}
    return {name: figure(value.value, value.dim) for name, value in values.items()}


def defaults_of(report: Report) -> dict[str, str]:
    """What was taken where a plan says nothing, as text; of several stages or laws all that was."""
    return dict(sorted(_defaults(report.assumptions)))


def figure(value: float, dim: Dim) -> Figure:
    """A value in its unit of exchange, to the digits that are the same on all machines."""
    found = amount(value, dim)
    number, unit = found["value"], str(found["unit"])
    return (number, unit) if isinstance(number, str) else (float(f"{float(str(number)):.{_DIGITS}g}"), unit)


def said(report: Report, reader: Reader) -> str:
    """A digest of what a plan and its imports say, whatever their line ends."""
    path = report.source.path
    return said_of(path, Buffer(path, report.source.text.encode("utf-8", "surrogatepass"), reader))


def said_of(path: str, reader: Reader) -> str:
    """A digest of what the plan at a path and its imports say, whatever their line ends.

    Raises:
        OSError: Where it cannot be read.
    """
    recording = Recording(reader)
    read_file(path, recording)
    contents = recording.recorded().contents
    texts = ((name if name != path else "", decoded(name, content)[0].text) for name, content in contents.items())
    return _digest((reader.resolve(name) or name if name else "", text) for name, text in texts)


def _defaults(assumptions: Iterable[Assumption]) -> Iterator[tuple[str, str]]:
    found: dict[str, list[str]] = {}
    for one in assumptions:
        if isinstance(one.value, str):
            text = one.value
        else:
            number, unit = figure(one.value, one.dim)
            text = f"{number:g} {unit}".removesuffix(" 1") if isinstance(number, float) else number
        found.setdefault(str(one.name), []).append(text)
    return ((name, ", ".join(dict.fromkeys(texts))) for name, texts in found.items())


def _digest(texts: Iterable[tuple[str, str]]) -> str:
    import hashlib

    whole = hashlib.sha256()
    for name, text in sorted(texts):
        for part in (name, text.replace("\r\n", "\n")):
            content = part.encode("utf-8", "surrogatepass")
            whole.update(b"%d:" % len(content) + content)
    return f"sha256:{whole.hexdigest()}"


# ---- the text


def text_of(lock: Lock) -> str:
    """The text of a lock."""
    lines = [f"schema = {_quoted(SCHEMA)}", f"runplan = {_quoted(lock.runplan)}", f"library = {_quoted(lock.library)}"]
    for name, digests in (("packs", lock.packs), ("budgets", lock.budgets)):
        lines += _table((name,), digests) if digests else []
    for path, plan in sorted(lock.plans.items()):
        lines += _table(("plans", path), {"law": plan.law, "status": plan.status, "text": plan.text})
        lines += _table(("plans", path, "defaults"), plan.defaults) if plan.defaults else []
        figures = {name: f"{_number(value)} {unit}" for name, (value, unit) in plan.values.items()}
        lines += _table(("plans", path, "values"), figures) if figures else []
    return _HEAD + "\n".join(lines) + "\n"


def _table(head: tuple[str, ...], rows: Mapping[str, str]) -> list[str]:
    names = ".".join(map(_key, head))
    return ["", f"[{names}]", *(f"{_key(name)} = {_quoted(text)}" for name, text in sorted(rows.items()))]


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _quoted(text)


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.{_DIGITS}g}"


def _quoted(text: str) -> str:
    """A text of TOML; that of JSON is one, but for what JSON writes as it is and a surrogate."""
    plain = text.encode("utf-8", "replace").decode("utf-8").replace("\x7f", "\N{REPLACEMENT CHARACTER}")
    return json.dumps(plain, ensure_ascii=False)


def lock_of(content: bytes, path: str) -> Lock:
    """The lock of a text; what it says of a plan is read when that is asked for.

    Raises:
        BadConfig: For what is none, or one of another version.
    """
    if len(content) > MAX_LOCK_BYTES:
        raise BadConfig(f"{path}: the file is larger than {MAX_LOCK_BYTES:,} bytes; {_AGAIN}")
    try:
        text = content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise BadConfig(f"{path}: {error}; {_AGAIN}") from None
    head, parts = _parted(text, path)
    found = _toml(head, path)
    if found.get("schema") != SCHEMA:
        raise BadConfig(f"{path}: its schema is {str(found.get('schema'))[:40]!r} and not {SCHEMA!r}; {_AGAIN}")
    try:
        packs, budgets = (
            {str(name): str(digest) for name, digest in found.get(table, {}).items()} for table in ("packs", "budgets")
        )
        version, library = str(found["runplan"]), str(found["library"])
    except (AttributeError, KeyError) as error:
        raise BadConfig(f"{path}: an entry is not as `plan lock` writes it ({error!r}); {_AGAIN}") from None
    return Lock(version, library, packs, _Plans(parts, path), budgets)


_AGAIN = "`plan lock` writes it anew"


def _parted(text: str, path: str) -> tuple[str, dict[str, str]]:
    """A text as what stands before the plans, and what it says of each."""
    begins = list(_PLAN.finditer(text))
    ends = [*(found.start() for found in begins), len(text)][1:]
    parts: dict[str, str] = {}
    last = ""
    for found, end in zip(begins, ends, strict=True):
        key = found[1]
        if key in parts and key != last:
            raise BadConfig(f"{path}: {key} stands twice; {_AGAIN}")
        parts[key], last = parts.get(key, "") + text[found.start() : end], key
    names = {
        str(_toml(f"name = {key}" if key.startswith('"') else f'name = "{key}"', path)["name"]): key for key in parts
    }
    return text[: begins[0].start()] if begins else text, {name: parts[key] for name, key in names.items()}


def _toml(text: str, path: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadConfig(f"{path}: {error}; {_AGAIN}") from None


class _Plans(Mapping[str, Locked]):
    """The plans of a lock, each read when it is asked for: one may have thousands, and a check is mostly of few."""

    __slots__ = ("_parts", "_path", "_read")

    def __init__(self, parts: Mapping[str, str], path: str) -> None:
        self._parts, self._path = parts, path
        self._read: dict[str, Locked] = {}

    def __getitem__(self, name: str) -> Locked:
        if name not in self._read:
            plan = _toml(self._parts[name], self._path)["plans"][name]
            try:
                self._read[name] = _locked(plan)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                why = f"what it says of {name} is not as `plan lock` writes it ({error!r})"
                raise BadConfig(f"{self._path}: {why}; {_AGAIN}") from None
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)


def _locked(plan: Mapping[str, Any]) -> Locked:
    defaults = {str(name): str(text) for name, text in plan.get("defaults", {}).items()}
    values = {str(name): _figure(text) for name, text in plan.get("values", {}).items()}
    return Locked(str(plan["text"]), str(plan["status"]), str(plan["law"]), values, defaults)


def _figure(text: str) -> Figure:
    number, _, unit = text.partition(" ")
    return (number, unit) if unit == "date" else (float(number), unit)


# ---- two locks


def moved(then: Mapping[str, Figure], now: Mapping[str, Figure]) -> tuple[str, ...]:
    """The quantities of both that differ by more than rounding, in the order of what is now."""
    return tuple(name for name, value in now.items() if name in then and not _same(then[name], value))


def _same(then: Figure | None, now: Figure | None) -> bool:
    if then is None or now is None or then[1] != now[1]:
        return then == now
    if isinstance(then[0], str) or isinstance(now[0], str):
        return then[0] == now[0]
    return abs(then[0] - now[0]) <= SAME * max(abs(then[0]), abs(now[0]))


def shown(value: Figure) -> str:
    """A locked value as people read it."""
    number, unit = value
    if isinstance(number, str):
        return number
    try:
        known = unit_of(unit)
    except UnknownUnit:  # of a later version, or written by hand
        return f"{number:.4g} {unit}"
    return show(number * known.factor, known.dim)


def settled(then: Locked | None, now: Locked) -> Locked:
    """A plan as it is now, with the figures of then where they are the same: another machine writes the same text."""
    if then is None:
        return now
    values = {
        name: then.values[name] if _same(then.values.get(name), value) else value for name, value in now.values.items()
    }
    return replace(now, values=values)


def changed(then: Lock, now: Lock) -> tuple[str, ...]:
    """What of that which plans rest on is not what it was."""
    out = [] if then.runplan == now.runplan else [f"runplan {then.runplan} is {now.runplan} now"]
    if then.library != now.library:
        out.append("the standard library has changed")
    for kind, was, is_ in (("pack", then.packs, now.packs), ("budget", then.budgets, now.budgets)):
        differ = (path for path in sorted({*was, *is_}) if was.get(path) != is_.get(path))
        out += [f"the {kind} `{path}` has {_what(path, was, is_)}" for path in differ]
    return tuple(out)


def _what(path: str, then: Mapping[str, str], now: Mapping[str, str]) -> str:
    return "come" if path not in then else "gone" if path not in now else "changed"
