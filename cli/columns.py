"""What a command line says of the columns of a file of runs: `--column loss=val_loss`, `--unit loss=nat/token`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from runplan.cli.arguments import Parser, unknown_word
from runplan.cli.outcome import CannotRun

# How the params of runs may be counted.
COUNTS = ("total", "non_embedding", "active")


def add_columns(parser: Parser) -> None:
    """The options that say how the columns of a file of runs are read."""
    parser.add_argument(
        "--column", metavar="QUANTITY=HEADER", action="append", default=[], help="which column is which quantity"
    )
    parser.add_argument(
        "--unit", metavar="QUANTITY=UNIT", action="append", default=[], help="of a column that does not say it"
    )
    parser.add_argument(
        "--decimal", choices=(".", ","), default="", help="the sign of decimals, where the file leaves it open"
    )


def pairs(options: Sequence[str], name: str, example: str, known: Collection[str] | None = None) -> dict[str, str]:
    """What an option says of each name, `NAME=TEXT`.

    Args:
        example: How it is written.
        known: The quantities that columns may be; where these are not known yet, who reads the file tells.

    Raises:
        CannotRun: For an option that is no pair, and for a quantity that there is not, or that is given twice.
    """
    out: dict[str, str] = {}
    for option in options:
        quantity, equal, text = (part.strip() for part in option.partition("="))
        if not equal or not quantity or not text:
            raise CannotRun(f"`{name} {option[:60]}` is no pair; write it like `{name} {example}`")
        if known is not None and quantity not in known:
            raise unknown_word("quantity", quantity, sorted(known))
        if quantity in out:
            raise CannotRun(f"`{name}` says `{quantity[:60]}` twice")
        out[quantity] = text
    return out
