"""`plan law`: the laws as a list, the page of one, or what it gives at some inputs."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.cli.arguments import Parser, add_output, library_here, verb, wanted
from runplan.cli.outcome import CLEAN, CannotRun
from runplan.cli.output import show
from runplan.cli.show.catalogue.subjects import LawAt, LawPage
from runplan.cli.show.formats import offered
from runplan.dsl.expr.dimensions import DimensionClash, Dimensions, is_bare
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Num
from runplan.dsl.expr.values import compiled
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Source, View
from runplan.dsl.text.words import enumerated
from runplan.dsl.typed.build import Builder
from runplan.engine.laws.evaluate import Evaluation, accepted, in_base, inputs_of
from runplan.engine.laws.form import Refused, free_in, is_form
from runplan.engine.laws.totals import OWN, in_totals


@verb("law")
def run(argv: list[str]) -> int:
    """List the laws, show one, or evaluate it; exit 2 for a name or a value that cannot be used."""
    parser = Parser(
        prog="plan law",
        description="The laws: a list, the page of one, or what it gives with --at.",
        epilog="example: plan law chinchilla --at params=70B tokens=1.4T -o json",
    )
    parser.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        help="a law, such as chinchilla or kaplan.joint, or a file with one: ours.plan, ours.plan:LAW",
    )
    parser.add_argument(
        "--at",
        metavar="INPUT=VALUE",
        nargs="+",
        action="extend",
        help="inputs with or without units, such as compute=1e22; objective=MLM where a law has several",
    )
    add_output(parser, offered("laws"))
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("laws"))
    if args.at and not args.name:
        raise CannotRun("--at needs the name of a law: plan law NAME --at params=7B")
    catalogue = library_here()
    if args.name is None:
        show("laws", catalogue, outputs)
        return CLEAN
    law, catalogue = _named(args.name, catalogue)
    if not args.at:
        show("law", LawPage(law, catalogue), outputs)
        return CLEAN
    if catalogue.faults(law, catalogue.findings):
        raise CannotRun(f"`{law.name}` gives no numbers until what is wrong with it is mended")
    if is_form(law):
        free = dict.fromkeys(name for function in law.functions for name in free_in(law, function))
        said = enumerated([f"`{name}`" for name in free])
        message = (
            f"`{law.name}` is a form to be fitted and gives no numbers: {said} {'are' if len(free) > 1 else 'is'} free"
        )
        raise CannotRun(f"{message}; set {'them' if len(free) > 1 else 'it'} in a law that extends it")
    try:
        evaluation = evaluated(law, args.at, catalogue)
    except Refused as refused:
        raise CannotRun(str(refused)) from refused
    from runplan.engine.laws.uncertain import sure  # the list and the pages draw nothing

    given, objective = evaluation.given, evaluation.objective
    known = sure(evaluation, lambda drawn: in_totals(drawn, given, objective, catalogue=catalogue))
    show("law at inputs", LawAt(evaluation, catalogue, known), outputs)
    return CLEAN


def _named(name: str, catalogue: Library) -> tuple[Law, Library]:
    """The law of a name, or of a file, and what is known with it.

    Raises:
        CannotRun: Where there is none, or a file has several.
    """
    law = catalogue.law(name)
    if law is not None:
        return law, catalogue
    from runplan.cli.forms import laws_of_file, unknown_law

    if (there := laws_of_file(name, catalogue)) is None:
        raise unknown_law(name, catalogue)
    laws, known = there
    if len(laws) > 1:
        path = name.partition(":")[0]
        raise CannotRun(f"{path} has several laws: {enumerated([f'`{path}:{one.name}`' for one in laws])}")
    return laws[0], known


def evaluated(law: Law, words: Sequence[str], catalogue: Library) -> Evaluation:
    """A law at inputs as the command line gives them: `params=70B`, `objective=MLM`.

    Raises:
        Refused: For what cannot be read, and for what the law refuses.
    """
    given, objective = inputs(law, words, catalogue)
    return in_totals(law, given, objective, catalogue=catalogue)


def inputs(law: Law, words: Sequence[str], catalogue: Library) -> tuple[dict[str, float], str | None]:
    """Inputs of a law as the command line gives them, in base units, and the objective where it is said.

    Raises:
        Refused: For what cannot be read, and for what the law does not take.
    """
    taken = dict(accepted(law, catalogue))
    if law.counts == "non_embedding" and "params" in taken:
        taken.setdefault(OWN, taken["params"])
    given: dict[str, float] = {}
    objective: str | None = None
    for word in _joined(words):
        name, equals, text = (part.strip() for part in word.partition("="))
        if not (name and equals and text):
            raise Refused(f"`{word[:60]}` is no input: write NAME=VALUE, such as params=70B")
        if name in given or (name == "objective" and objective is not None):
            raise Refused(f"`{name}` is given twice")
        if name == "objective":
            objective = text
        elif name in taken:
            given[name] = in_base(name, _figure(name, text), taken[name])
        else:
            names = ", ".join(f"`{known}`" for known in inputs_of(law, catalogue))
            (help,) = did_you_mean(name, taken) or [f"it takes {names or 'nothing'}"]
            raise Refused(f"`{law.name}` does not take `{name[:60]}`; {help}")
    return given, objective


def _joined(words: Sequence[str]) -> list[str]:
    """The inputs, with what a shell has split off them put back: `compute=10 PF-day`."""
    out: list[str] = []
    for word in words:
        if "=" in word or not out:
            out.append(word)
        else:
            out[-1] += f" {word}"
    return out


def _figure(name: str, text: str) -> Num:
    from runplan.dsl.syntax.parse import parse  # a page needs no Lark

    node, findings = parse(View(text, Source("--at", text)), "goal")
    builder = Builder()
    expr = builder.expr(node) if node is not None and not findings else None
    wrong = [*findings, *builder.findings]
    if expr is None or wrong:
        help = f" ({wrong[0].help[0]})" if wrong[0].help else ""
        raise Refused(f"`{name}={text[:60]}`: {wrong[0].message}{help}")
    try:
        return Num(float(compiled(expr)({})), Dimensions({}).of(expr), "" if is_bare(expr) else text)
    except DimensionClash as clash:
        raise Refused(f"`{name}={text[:60]}`: {clash.message}") from clash
    except (KeyError, ArithmeticError, ValueError) as error:
        raise Refused(f"`{name}={text[:60]}`: `{shown(expr)[:60]}` is not a fixed number") from error
