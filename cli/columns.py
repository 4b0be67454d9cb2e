"""What a command line says of the columns of a file of runs: `--column loss=val_loss`, `--unit loss=nat/token`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runplan.cli.arguments import unknown_word
from runplan.cli.outcome import CannotRun


def pairs(options: Sequence[str], name: str, known: Iterable[str]) -> dict[str, str]:
    """The text of each quantity.

    Args:
        known: The quantities that columns may be.

    Raises:
        CannotRun: For an option that is no pair, and for a quantity that there is not, or that is given twice.
    """
    out: dict[str, str] = {}
    for option in options:
        quantity, equal, text = (part.strip() for part in option.partition("="))
        if not equal or not quantity or not text:
            raise CannotRun(
                f"`{name} {option[:60]}` is no pair; write `{name} loss={'val_loss' if name == '--column' else 'nats'}`"
            )
        if quantity not in known:
            raise unknown_word("quantity", quantity, sorted(known))
        if quantity in out:
            raise CannotRun(f"`{name}` says `{quantity}` twice")
        out[quantity] = text
    return out
