"""What a command line says of which way quantities are better."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from runplan.cli.outcome import CannotRun
from runplan.dsl.plan.ir import SENSES, Sense


def add_senses(parser: ArgumentParser, metavar: str, help: str) -> None:
    """The options by which quantities are said to be better one way or the other."""
    for sense in SENSES:
        parser.add_argument(f"--{sense}", metavar=metavar, action="append", default=[], help=help)


def sense_of(args: Namespace, text: str) -> Sense | None:
    """Which way a quantity is better, where the command line says so.

    Raises:
        CannotRun: Where it says both.
    """
    said = [sense for sense in SENSES if text in getattr(args, sense)]
    if len(said) > 1:
        raise CannotRun(f"`{text}` is to be minimized and maximized: choose one")
    return next(iter(said), None)
