"""`plan rule`: the rules and the engine's own codes as a list, or the page of one."""

from __future__ import annotations

from runplan.cli.arguments import Parser, add_output, library_here, unknown, verb, wanted
from runplan.cli.outcome import CLEAN
from runplan.cli.output import show
from runplan.cli.show.catalogue.subjects import RulePage
from runplan.cli.show.formats import offered
from runplan.dsl.text.codes import code_of, words


@verb("rule")
def run(argv: list[str]) -> int:
    """List the rules or show one; exit 2 for a code or name that is none."""
    parser = Parser(
        prog="plan rule",
        description="The rules: a list, or what one says, when, why, and an example that breaks it and one that "
        "keeps it.",
        epilog="example: plan rule implausible-mfu",
    )
    parser.add_argument("name", metavar="CODE|NAME", nargs="?", help="such as H002 or implausible-mfu")
    add_output(parser, offered("rules"))
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("rules"))
    rules = library_here().rules()
    if args.name is None:
        show("rules", rules, outputs)
        return CLEAN
    named = tuple(rule for rule in rules if args.name.lower() in (rule.code.lower(), rule.name))
    code = named[0].code if named else code_of(args.name)
    if code is None:
        raise unknown("rule", args.name, [*words(), *(word for rule in rules for word in (rule.code, rule.name))])
    show("rule", RulePage(code, named), outputs)
    return CLEAN
