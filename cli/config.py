"""`[tool.runplan]` of the nearest `pyproject.toml`, or `runplan.toml`, to settings and the catalogue they ask for."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from runplan.cli.outcome import CannotRun
from runplan.dsl.packs.library import Library, standard
from runplan.dsl.text.nearest import did_you_mean

KEYS = ("packs", "select", "ignore", "fail-on")
THRESHOLDS = ("error", "warning", "never")
# Wheels with packs name a top-level package under this group; it is only ever looked into, never imported.
GROUP = "runplan.packs"


class BadConfig(CannotRun):
    """A configuration that cannot be used; the message says which file and why."""


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of a project.

    Attributes:
        file: Where they were found; None where there are none.
        packs: Folders and files of packs, absolute.
    """

    file: Path | None = None
    packs: tuple[Path, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: str = "error"
    raw: dict[str, Any] = field(default_factory=dict)


@lru_cache(64)
def config_for(folder: Path) -> Config:
    """The configuration that holds for plans in a folder; looked for upwards to the project's git root.

    Raises:
        BadConfig: For a file that cannot be read, an unknown key or a value of another kind.
    """
    for candidate in (folder, *folder.parents):
        own = candidate / "runplan.toml"
        if own.is_file():
            return _read(own, _toml(own))
        project = candidate / "pyproject.toml"
        if project.is_file():
            tool = _toml(project).get("tool", {}).get("runplan")
            if tool is not None:
                return _read(project, tool)
        if (candidate / ".git").exists():
            break
    return Config()


def _toml(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: {error}") from None


def _read(path: Path, values: dict[str, Any]) -> Config:
    for key in values:
        if key not in KEYS:
            (help,) = did_you_mean(key, KEYS) or [f"the keys are {', '.join(KEYS)}"]
            raise BadConfig(f"{path}: unknown key `{key}`; {help}")

    def words(key: str) -> tuple[str, ...]:
        found = values.get(key, [])
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise BadConfig(f"{path}: `{key}` is a list of texts")
        return tuple(found)

    threshold = values.get("fail-on", "error")
    if threshold not in THRESHOLDS:
        raise BadConfig(f"{path}: `fail-on` is one of {', '.join(THRESHOLDS)}")
    packs = tuple((path.parent / name).resolve() for name in words("packs"))
    for name, pack in zip(words("packs"), packs, strict=True):
        if not pack.exists():
            raise BadConfig(f"{path}: the pack `{name}` is not there")
    return Config(path, packs, words("select"), words("ignore"), threshold, dict(values))


@lru_cache(1)
def installed() -> tuple[tuple[str, Path], ...]:
    """Packs that wheels bring, by the name of their package."""
    if not _any_wheel_has_packs():
        return ()
    from importlib.metadata import entry_points
    from importlib.util import find_spec

    found = []
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        if "." in point.value or ":" in point.value:
            continue  # finding a dotted name would import its parent
        spec = find_spec(point.value)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            found.append((point.value, Path(place)))
    return tuple(found)


def _any_wheel_has_packs() -> bool:
    """Whether an installed distribution names the group at all; asking the library costs more than all of this."""
    for folder in dict.fromkeys(sys.path):
        try:
            entries = [entry.path for entry in os.scandir(folder or ".") if entry.name.endswith(".dist-info")]
        except OSError:
            continue
        for entry in entries:
            try:
                with open(os.path.join(entry, "entry_points.txt"), encoding="utf-8") as stream:
                    if f"[{GROUP}]" in stream.read():
                        return True
            except (OSError, UnicodeDecodeError):
                continue
    return False


def catalogue_for(path: str) -> Library:
    """The standard library with the packs that are installed, and those that the plan's project names.

    Raises:
        BadConfig: See `config_for`.
    """
    return _catalogue(tuple((_shown(pack), pack) for pack in config_of(path).packs))


def config_of(path: str) -> Config:
    """The configuration that holds for a plan, or for the plans of a folder.

    Raises:
        BadConfig: See `config_for`.
    """
    here = Path(path).absolute()
    return config_for(here if here.is_dir() else here.parent)


def _shown(pack: Path) -> str:
    """A pack's path as findings print it: as one would name it from the current folder."""
    here = Path.cwd()
    return (pack.relative_to(here) if pack.is_relative_to(here) else pack).as_posix()


@lru_cache(16)
def _catalogue(packs: tuple[tuple[str, Path], ...]) -> Library:
    extra = (*installed(), *packs)
    return standard() if not extra else Library((*standard().roots, *extra))
