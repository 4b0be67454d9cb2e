"""`plan lsp`: a language server for editors, on standard input and output."""

from __future__ import annotations

import os
import sys

from runplan.cli.arguments import Parser, verb
from runplan.cli.outcome import CannotRun

# What the extra brings.
_EXTRA = ("pygls", "lsprotocol")


@verb("lsp")
def run(argv: list[str]) -> int:
    """Serve an editor until it ends; 0 where it shut down first, 2 where the extra is not installed."""
    parser = Parser(
        prog="plan lsp",
        description="A language server: an editor starts it, and talks to it by standard input and output.",
        epilog="example: plan lsp --check",
    )
    parser.add_argument("--stdio", action="store_true", help="what is done in any case; some editors say it")
    parser.add_argument("--check", action="store_true", help="start nothing; say whether it could be")
    args = parser.parse_args(argv)
    try:
        from runplan.editor.server import serve
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        message = "the language server needs pygls 2: install it with `pip install 'runplan[lsp]'`"
        raise CannotRun(message) from error
    if args.check:
        print("plan lsp: ready")
        return 0
    code = serve()
    # A thread may still wait for input that the client never ends.
    sys.stderr.flush()
    os._exit(code)
