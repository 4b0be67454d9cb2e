"""The parsers of verbs into what a shell has to know to complete them."""

from __future__ import annotations

import re
from argparse import OPTIONAL, SUPPRESS, Action, ArgumentParser
from collections.abc import Iterator, Mapping

from runplan.dsl.dataclass import dataclass, field

# What an argument is, by the word that help calls it by; of the others a shell knows nothing to offer.
KINDS = {
    "PATH": "plans",
    "RUNS": "files",
    "FILE": "files",
    "DIR": "folders",
    "LAW": "laws",
    "A,B": "laws",
    "A,B,C": "laws",
    "CODES": "codes",
    "CODE|NAME": "codes",
    "QUANTITY": "quantities",
    "Q": "quantities",
    "Q,Q": "quantities",
    "X": "quantities",
    "Y": "quantities",
    "X,Y": "quantities",
}
# Those of them that say it of several, joined by commas, without a comma in them.
JOINED = frozenset(("CODES",))
# The verbs of which the argument is a name of a catalogue, and that catalogue.
CATALOGUES = {"law": "laws", "device": "devices", "model": "models"}
# Names that a shell could take for something else are not offered.
_WORD = re.compile(r"[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Takes:
    """What an argument, or the value of an option, is.

    Attributes:
        kind: `plans`, `files`, `folders`, `words`, `text` of which nothing is known, or a list of names.
        words: Those to choose from, where it is of `words`.
        shown: What help calls it.
        again: Whether there may be several.
        joined: Whether several are joined by commas.
    """

    kind: str = "text"
    words: tuple[str, ...] = ()
    shown: str = ""
    again: bool = False
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """An option: its spellings, what it says, and what it takes, if anything."""

    flags: tuple[str, ...]
    help: str
    takes: Takes | None = None


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb: what it does, its options and its arguments in order."""

    name: str
    help: str
    options: tuple[Option, ...]
    arguments: tuple[Takes, ...]


@dataclass(frozen=True, slots=True)
class Commands:
    """All verbs, and the names of each list that they mention, such as `laws`."""

    verbs: tuple[Verb, ...]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def verb_of(name: str, parser: ArgumentParser, offers: Mapping[str, tuple[str, ...]]) -> Verb:
    """What a verb takes, by its parser and the words that its options take among others."""
    actions = [action for action in parser._actions if action.help != SUPPRESS]
    options = tuple(_option(action, name, offers) for action in actions if action.option_strings)
    arguments = tuple(_takes(action, name, offers) for action in actions if not action.option_strings)
    return Verb(name, _sentence(parser.description or ""), options, arguments)


def words(names: Iterator[str]) -> tuple[str, ...]:
    """The names that can stand in a script of any shell, each once, in order."""
    return tuple(sorted({name for name in names if _WORD.fullmatch(name)}))


def _option(action: Action, verb: str, offers: Mapping[str, tuple[str, ...]]) -> Option:
    takes = None if action.nargs == 0 else _takes(action, verb, offers)
    return Option(tuple(action.option_strings), _sentence(action.help or ""), takes)


def _takes(action: Action, verb: str, offers: Mapping[str, tuple[str, ...]]) -> Takes:
    shown = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    again = action.nargs not in (None, OPTIONAL)
    if choices := tuple(map(str, action.choices or offers.get(action.dest, ()))):
        return Takes("words", choices, shown, again)
    kind = KINDS.get(shown, "text")
    if shown == "NAME" and not action.option_strings:
        kind = CATALOGUES.get(verb, "text")
    return Takes(kind, (), shown, again, "," in shown or shown in JOINED)


def _sentence(text: str) -> str:
    """The first sentence or clause of a help, without its full stop."""
    return re.split(r"[.:;] ", f"{' '.join(text.split())} ")[0].strip().rstrip(".")
