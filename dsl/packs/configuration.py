"""A folder to the project that it is in; and its `runplan.toml`, or `[tool.runplan]`, to settings and to packs."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.packs.budgets import FolderBudget
from runplan.dsl.packs.shelf import ENDING, PackFile, pack_files
from runplan.dsl.text import disk
from runplan.dsl.text.codes import RANK, Severity
from runplan.dsl.text.errors import BadConfig
from runplan.dsl.text.limits import MAX_BYTES, MAX_DOTS, MAX_PACK_FILES
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.reader import Buffer, Disk, FileSystem, Reader, decoded
from runplan.dsl.types import Any

KEYS = ("packs", "exclude", "select", "ignore", "severity", "fail-on", "budgets", "baseline-budgets")
_MANY_DOTS = pattern(rb"(?:[\w\"'-]*+[ \t]*+\.[ \t]*+){%d}" % (MAX_DOTS + 1))
THRESHOLDS = ("error", "warning", "never")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings of a project.

    Attributes:
        file: The path of the file that they stand in; empty where there is none.
        packs: Files and folders of packs, as they are named there.
        select, ignore: Codes, names or prefixes of the findings that are shown, or left out.
        severity: As which severity findings are shown, by their codes, names or prefixes.
        fail_on: From which severity on a check fails: one of `THRESHOLDS`.
        exclude: Patterns of the files and folders that a search for plans leaves out.
        budgets: For each folder the files with what every plan in it is to keep.
        baseline_budgets: Whether a baseline may leave out what breaks those.
    """

    file: str = ""
    packs: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)
    fail_on: str = "error"
    exclude: tuple[str, ...] = ()
    budgets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    baseline_budgets: bool = False

    def value(self, key: str) -> str | bool | list[str] | dict[str, str | list[str]]:
        """A setting by its key, as a configuration has it."""
        value = getattr(self, key.replace("-", "_"))
        if isinstance(value, Mapping):
            return {inner: list(said) if isinstance(said, tuple) else said for inner, said in value.items()}
        return list(value) if isinstance(value, tuple) else value

    def excludes(self, path: str) -> bool:
        """Whether a search leaves a file out, by its path from the folder of the configuration: it is no plan.

        Files of budgets are none. A pattern with a `/` in it is of such paths, another of the name of any file or
        folder; `*` is any text.
        """
        if any(path == posixpath.normpath(file) for files in self.budgets.values() for file in files):
            return True
        if not self.exclude:
            return False
        from fnmatch import fnmatchcase

        parts = path.split("/")
        paths = ["/".join(parts[: i + 1]) for i in range(len(parts))]
        patterns = (one.rstrip("/").removeprefix("./") for one in self.exclude)
        return any(fnmatchcase(one, each) for each in patterns for one in (paths if "/" in each else parts))


def configuration_of(reader: Reader, root: str = "") -> Configuration:
    """The settings that stand in the root of a project.

    Raises:
        BadConfig: For a file that cannot be read, an unknown key or a value of another kind.
    """
    own = posixpath.join(root, "runplan.toml")
    values = _toml(reader, own)
    if values is not None:
        return _checked(own, values)
    project = posixpath.join(root, "pyproject.toml")
    tool = _table(reader, project)
    return Configuration() if tool is None else _checked(project, tool)


def root_of(folder: str, on: FileSystem = disk) -> str:
    """The root of the project that a folder on disk is in.

    The nearest one, from the folder upwards, with a configuration or `.git`; else the nearest with a `pyproject.toml`;
    else the folder itself.

    Args:
        on: The disk, or a commit as if it were checked out.
    """
    here = nearest = os.path.abspath(folder).replace(os.sep, "/")
    python = ""
    while True:
        if any(on.is_there(os.path.join(nearest, mark)) for mark in ("runplan.toml", ".git")):
            return nearest
        if on.is_file(os.path.join(nearest, "pyproject.toml")):
            if _configures(nearest, on):
                return nearest
            python = python or nearest
        above = os.path.dirname(nearest)
        if above == nearest:
            return python or here
        nearest = above


def _configures(folder: str, on: FileSystem) -> bool:
    """Whether the `pyproject.toml` of a folder has settings of ours; one that cannot be read is to say so."""
    try:
        return _table(Disk(folder, on=on), "pyproject.toml") is not None
    except BadConfig:
        return True


def _table(reader: Reader, path: str) -> Any:
    """What a `pyproject.toml` says under `[tool.runplan]`; None where it says nothing."""
    tools = (_toml(reader, path, b"runplan") or {}).get("tool")
    return tools.get("runplan") if isinstance(tools, dict) else None


def _toml(reader: Reader, path: str, word: bytes = b"") -> dict[str, Any] | None:
    """What a TOML file says; None where there is no such file, or a word is not in it: it is none of ours then."""
    try:
        content = reader.read(path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise BadConfig(f"{path}: {error.strerror or 'cannot be read'}") from None
    if word not in content:
        return None
    if len(content) > MAX_BYTES:
        raise BadConfig(f"{path}: the file is larger than {MAX_BYTES:,} bytes")
    if _MANY_DOTS.search(content):  # what a name with many costs grows with their square
        raise BadConfig(f"{path}: a name has more than {MAX_DOTS} dots")
    import tomllib

    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: {error}") from None
    except RecursionError:
        raise BadConfig(f"{path}: brackets are nested too deep") from None


def _checked(path: str, values: Any) -> Configuration:
    if not isinstance(values, dict):
        raise BadConfig(f"{path}: `tool.runplan` is a table")
    for key in values:
        if key not in KEYS:
            (help,) = did_you_mean(key, KEYS) or [f"the keys are {', '.join(KEYS)}"]
            raise BadConfig(f"{path}: unknown key `{key}`; {help}")

    def words(key: str) -> tuple[str, ...]:
        found = values.get(key, [])
        if not _is_texts(found):
            raise BadConfig(f"{path}: `{key}` is a list of texts")
        return tuple(found)

    severity = values.get("severity", {})
    if not isinstance(severity, dict) or not all(value in RANK for value in severity.values()):
        raise BadConfig(f"{path}: `severity` is a table of codes, each {', '.join(RANK)}")
    threshold = values.get("fail-on", "error")
    if threshold not in THRESHOLDS:
        raise BadConfig(f"{path}: `fail-on` is one of {', '.join(THRESHOLDS)}")
    budgets = values.get("budgets", {})
    files = {folder: [said] if isinstance(said, str) else said for folder, said in _items(budgets)}
    if not isinstance(budgets, dict) or not all(map(_is_texts, files.values())):
        raise BadConfig(f"{path}: `budgets` is a table of folders, each with the path of a file, or a list of such")
    waits = values.get("baseline-budgets", False)
    if not isinstance(waits, bool):
        raise BadConfig(f"{path}: `baseline-budgets` is true or false")
    return Configuration(
        path,
        words("packs"),
        words("select"),
        words("ignore"),
        severity,
        threshold,
        words("exclude"),
        {folder: tuple(said) for folder, said in files.items()},
        waits,
    )


def _items(table: Any) -> Iterable[tuple[str, Any]]:
    return table.items() if isinstance(table, dict) else ()


def _is_texts(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(item, str) for item in found)


def folders_above(root: str, on: FileSystem = disk) -> Iterator[str]:
    """The folders above a root whose configurations may have budgets for its plans: up to that with `.git`."""
    while not on.is_there(os.path.join(root, ".git")):
        above = os.path.dirname(root)
        if above == root:
            return
        yield above
        root = above


def folder_budgets(reader: Reader, root: str, above: Iterable[str] = ()) -> Iterator[FolderBudget]:
    """What plans of the folders of a project are to keep, by its configuration and by those above it.

    Raises:
        BadConfig: Where such a configuration cannot be used, or a file or folder is not there.
    """
    for folder in (root, *above):
        configuration = configuration_of(reader, folder)
        for inner, files in configuration.budgets.items():
            within = _within(reader, configuration, posixpath.join(folder, inner), root)
            for file in files if within is not None else ():
                path = posixpath.normpath(posixpath.join(folder, file))
                try:
                    source, wrong = decoded(_shown(reader, path), reader.read(path))
                except OSError as error:
                    reason = error.strerror or "it cannot be read"
                    raise BadConfig(f"{configuration.file}: the budget `{file}`: {reason}") from None
                if wrong:
                    raise BadConfig(f"{configuration.file}: the budget `{file}`: {wrong.message}")
                yield FolderBudget(within or "", source, configuration.baseline_budgets)


def _shown(reader: Reader, path: str) -> str:
    """A path as plans are named: on disk from where relative paths lead."""
    while isinstance(reader, Buffer):
        reader = reader.behind
    if not isinstance(reader, Disk) or not os.path.isabs(path):
        return path
    assert reader.folder is not None, "set when it was made"
    return os.path.relpath(path, reader.folder).replace(os.sep, "/")


def _within(reader: Reader, configuration: Configuration, folder: str, root: str) -> str | None:
    """A folder from the root of a project; empty where it holds all of that, and None where it has none of it."""
    folder = posixpath.normpath(folder)
    if folder == posixpath.normpath(root or ".") or root.startswith(folder.rstrip("/") + "/"):
        return ""
    try:
        is_file = reader.files(folder) == (folder,)
    except OSError:
        raise BadConfig(f"{configuration.file}: the folder `{folder}` of `budgets` is not there") from None
    if is_file:
        raise BadConfig(f"{configuration.file}: `{folder}` of `budgets` is a file, and no folder of plans")
    name = reader.resolve(folder)
    return None if name is None else "" if name == "." else name


def line_of(text: str, key: str, inner: str = "") -> int:
    """The line of a configuration, from 1, on which a key stands, or one in its table; 0 where it does not."""
    table, own = re.compile(rf"\s*\[+[\w.\s\"'-]*?\b{re.escape(key)}\b"), _assigned(key)
    lines = text.splitlines()
    first = next((at for at, line in enumerate(lines) if table.match(line) or own.match(line)), None)
    if first is None or not inner:
        return 0 if first is None else first + 1
    entry = re.compile(rf".*?(?<![\w-])[\"']?{re.escape(inner)}[\"']?\s*=")
    return next((at + 1 for at, line in enumerate(lines) if at >= first and entry.match(line)), first + 1)


def _assigned(key: str) -> re.Pattern[str]:
    return re.compile(rf"\s*(?:[\w-]+\.)*[\"']?{re.escape(key)}[\"']?\s*[.=]")


def place_of(reader: Reader, configuration: Configuration, word: str) -> str:
    """Where a word stands in the file of a configuration, as `FILE:LINE`."""
    text = reader.read(configuration.file).decode("utf-8", "replace")
    lines = (
        i for i, line in enumerate(text.splitlines(), 1) if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", line)
    )
    line = next(lines, None)
    return f"{configuration.file}:{line}" if line else configuration.file


def configured_packs(reader: Reader, configuration: Configuration) -> tuple[PackFile, ...]:
    """The files of the packs that a configuration names, shown by their paths from it, wherever one looks from.

    Raises:
        BadConfig: For a pack that is not there or cannot be read.
    """
    folder = posixpath.dirname(configuration.file)
    found: list[PackFile] = []
    for name in configuration.packs:
        shown = posixpath.normpath(reader.resolve(name) or name if os.path.isabs(name) else name)
        try:
            path = name if os.path.isabs(name) else posixpath.normpath(posixpath.join(folder, name))
            files = pack_files(reader, path, "" if shown == "." else shown, "pack")
            # What is wrong with a file is told with its lines: not those of any file of the machine.
            if any(not file.source.path.endswith(ENDING) for file in files):
                raise BadConfig(f"{configuration.file}: the pack `{name}` is no `{ENDING}`, and no folder of them")
            found.extend(files)
            if len(found) > MAX_PACK_FILES:
                raise BadConfig(f"{configuration.file}: the packs have more than {MAX_PACK_FILES:,} files")
        except (FileNotFoundError, NotADirectoryError):
            raise BadConfig(f"{configuration.file}: the pack `{name}` is not there") from None
        except OSError as error:
            reason = error.strerror or "it cannot be read"
            raise BadConfig(f"{configuration.file}: the pack `{name}`: {reason}") from None
    return tuple(found)
