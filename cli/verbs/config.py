"""`plan config`: the settings by which a plan, or the plans of a folder, are checked, and where each comes from."""

from __future__ import annotations

import os
from collections.abc import Iterator

from runplan import Project
from runplan.cli.arguments import Parser, add_output, verb, wanted
from runplan.cli.outcome import CLEAN
from runplan.cli.output import show
from runplan.cli.paths import NotFound
from runplan.cli.show.catalogue.settings import Setting, Settings
from runplan.cli.show.formats import offered
from runplan.dsl.packs.configuration import KEYS, Configuration, configuration_of, folders_above, line_of, root_of
from runplan.dsl.text import disk
from runplan.dsl.text.reader import Disk, Reader


@verb("config")
def run(argv: list[str]) -> int:
    """Print the settings; exit 2 where a configuration cannot be used."""
    parser = Parser(
        prog="plan config",
        description="The settings by which a plan, or the plans of a folder, are checked. Flags of a command win over "
        "them.",
        epilog="example: plan config plans --show-origin",
    )
    parser.add_argument("path", metavar="PATH", nargs="?", default=".", help="a plan or a folder; this one unless said")
    parser.add_argument("--show-origin", action="store_true", help="say where each setting stands")
    add_output(parser, offered("settings"))
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("settings"))
    if not disk.is_there(args.path):
        raise NotFound(f"no such file or folder: {args.path}")
    folder = args.path if disk.is_folder(args.path) else os.path.dirname(args.path)
    root = root_of(folder)
    reader = Disk(root, os.curdir)
    above = tuple(folders_above(root))
    project = Project(reader, root, above=above)
    project.refuse_unknown_settings()
    own = project.configuration
    settings = [*_settings(reader, own, KEYS), *_from_above(reader, above)]
    shown = Settings(_from_here(root), _from_here(own.file), tuple(settings), args.show_origin)
    show("settings", shown, outputs)
    return CLEAN


def _settings(reader: Reader, of: Configuration, keys: tuple[str, ...]) -> Iterator[Setting]:
    """The settings of a configuration, an entry of a table each by itself."""
    text = reader.read(of.file).decode("utf-8", "replace") if of.file else ""
    for key in keys:
        value = of.value(key)
        if isinstance(value, dict) and value:
            for inner, said in value.items():
                name = inner if inner.isidentifier() else f'"{inner}"'
                yield Setting(f"{key}.{name}", said, _from_here(of.file), line_of(text, key, inner))
            continue
        line = line_of(text, key)
        yield Setting(key, [] if isinstance(value, dict) else value, _from_here(of.file) if line else "", line)


def _from_above(reader: Reader, above: tuple[str, ...]) -> Iterator[Setting]:
    """The budgets that configurations of folders above have for plans of the project."""
    for folder in above:
        found = configuration_of(reader, folder)
        if found.budgets:
            said = _settings(reader, found, ("budgets", "baseline-budgets"))
            yield from (one for one in said if one.file)


def _from_here(path: str) -> str:
    """A path from the current folder."""
    return os.path.relpath(path).replace(os.sep, "/") if path else ""
