"""`plan device`: the devices as a list, or the figures of one with their sources."""

from __future__ import annotations

import argparse

from runplan.cli.arguments import add_output, library_here, unknown, verb, wanted
from runplan.cli.outcome import CLEAN
from runplan.cli.output import show
from runplan.cli.show.formats import offered


@verb("device")
def run(argv: list[str]) -> int:
    """List the devices or show one; exit 2 for a name that is none."""
    parser = argparse.ArgumentParser(
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
        known = [name for one in catalogue.records("device") for name in (one.name, *one.aliases)]
        raise unknown("device", args.name, known)
    show("record", device, outputs)
    return CLEAN
