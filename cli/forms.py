"""A word of the command line to the laws that it means: of the library, or of a file."""

from __future__ import annotations

import re

from runplan.cli.arguments import reading, unknown
from runplan.cli.outcome import CannotRun
from runplan.cli.stream import tell
from runplan.dsl.dataclass import replace
from runplan.dsl.text.words import enumerated
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from runplan.dsl.packs.library import Library
    from runplan.dsl.packs.pack import Law


def laws_meant(word: str, library: Library) -> tuple[tuple[Law, ...], Library]:
    """The laws whose form a word may mean, of the library or of a file, and what is known with them.

    Raises:
        CannotRun: Where there are none, and as `laws_of_file` does.
    """
    from runplan.engine.fit.form import named

    if (there := laws_of_file(word, library)) is not None:
        return there
    laws = named(library, word)
    if not laws:
        raise unknown_law(word, library)
    return laws, library


def unknown_law(word: str, library: Library) -> CannotRun:
    """The refusal of a word that no law is called by."""
    return unknown("law", word, [one for law in library.laws() for one in (law.name, *law.aliases)])


def laws_of_file(word: str, library: Library) -> tuple[tuple[Law, ...], Library] | None:
    """The laws of the file that a word names, `ours.plan`, or the one of a name in it, `ours.plan:mine`, and what is
    known with them; None where the word is no file.

    Raises:
        CannotRun: Where the file cannot be read, is wrong, or has no such law.
    """
    path, _, name = word.partition(":") if re.search(r"\.(plan|ya?ml)(:|$)", word) else ("", "", word)
    if not path:
        return None
    from runplan.cli.paths import Projects
    from runplan.cli.show.findings.concise import line
    from runplan.dsl.plan.pack_file import with_definitions

    with reading(path):
        there, project = Projects().of(path)
        known, pack, found = with_definitions(there, project.reader, library)
    wrong = [one for one in found if one.severity == "error"]
    for one in wrong:
        tell(line(one))
    own = [law for law in pack.laws if not name or law.name == name]
    if wrong:
        raise CannotRun(f"{path}: no law of it is taken until what is wrong in it is mended")
    if not own:
        raise CannotRun(f"{path} has no law" + (f" `{name[:60]}`" if name else "") + "; `law NAME { ... }` is one")
    checked = (known.law(law.name) for law in own)
    return tuple(law for law in checked if law is not None), known


def for_objective(law: Law, objective: str) -> Law:
    """The law with its formulas for what was trained for; as it is where it does not tell objectives apart.

    Raises:
        CannotRun: Where it does, and has none for this one.
    """
    from runplan.engine.laws.form import functions_for

    if not any(function.objective for function in law.functions):
        return law
    own = tuple(functions_for(law, objective))
    if not own:
        raise CannotRun(f"`{law.name}` is for {enumerated(law.objectives)}, not for {objective[:60]}")
    return replace(law, functions=own, objectives=(objective,))
