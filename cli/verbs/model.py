"""`plan model`: the published models as a list, or the shape of one with its sources."""

from __future__ import annotations

from runplan.cli.arguments import Parser, add_output, library_here, unknown, verb, wanted
from runplan.cli.outcome import CLEAN
from runplan.cli.output import show
from runplan.cli.show.formats import offered


@verb("model")
def run(argv: list[str]) -> int:
    """List the models or show one; exit 2 for a name that is none."""
    parser = Parser(
        prog="plan model",
        description="The published models that a plan may name: a list, or the shape of one with its sources.",
        epilog="example: plan model llama-3-8b",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="a model, such as llama-3-8b or DeepSeek-V3")
    add_output(parser, offered("records"))
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("records"))
    catalogue = library_here()
    if args.name is None:
        show("records", catalogue.records("model"), outputs)
        return CLEAN
    model = catalogue.model(args.name)
    if model is None:
        raise unknown("model", args.name, sorted(catalogue.vocabulary().models))
    show("record", model, outputs)
    return CLEAN
