"""`plan device`: the devices as a list, or the figures of one with their sources."""

from __future__ import annotations

from runplan.cli.arguments import Parser, add_output, library_here, verb, wanted
from runplan.cli.outcome import CLEAN, CannotRun
from runplan.cli.output import show
from runplan.cli.show.formats import offered
from runplan.dsl.packs.devices import one_of


@verb("device")
def run(argv: list[str]) -> int:
    """List the devices or show one; exit 2 for a name that is none."""
    parser = Parser(
        prog="plan device",
        description="The devices: a list, or the figures of one with unit, source and evidence.",
        epilog="example: plan device H100 -o json",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="a device, such as H100 or h100-sxm")
    add_output(parser, offered("records"))
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("records"))
    catalogue = library_here()
    if args.name is None:
        show("records", catalogue.records("device"), outputs)
        return CLEAN
    device = catalogue.record("device", args.name)
    if device is None:
        (help,) = one_of(args.name, catalogue.devices)
        raise CannotRun(f"unknown device `{args.name[:60]}`; {help}")
    show("record", device, outputs)
    return CLEAN
