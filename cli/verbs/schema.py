"""`plan schema`: the JSON Schemas of what the command writes, and of plans in YAML."""

from __future__ import annotations

import re

from runplan.cli.arguments import Parser, library_here, unknown_word, verb
from runplan.cli.outcome import CLEAN, CannotRun
from runplan.cli.schemas.named import schema, titles
from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.page import columns
from runplan.cli.stream import write

# A name, or what a document says under `schema`: `check`, `plan.check/v1`.
_NAMED = re.compile(r"(?:plan\.)?([\w-]+)(?:/v(\d+))?")


@verb("schema")
def run(argv: list[str]) -> int:
    """List the schemas or print one; exit 2 for a name or a version that there is not."""
    parser = Parser(
        prog="plan schema",
        description="The JSON Schemas (draft 7): a list, or one by its name or by what a document has under `schema`. "
        "`plan` is that of a plan in YAML, for editors.",
        epilog="example: plan schema plan.check/v1",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="such as plan, check, solve")
    known = titles()
    parser.offers["name"] = tuple(known)
    args = parser.parse_args(argv)
    if args.name is None:
        write(columns([("name", "schema", "of"), *((name, *told) for name, told in known.items())]))
        return CLEAN
    named = _NAMED.fullmatch(args.name)
    name, version = (named[1], named[2]) if named else (args.name, None)
    if name not in known:
        raise unknown_word("schema", args.name, tuple(known))
    of = known[name][0]
    if version is not None and f"v{version}" != of.rpartition("/")[2]:
        raise CannotRun(
            f"unknown schema `{args.name[:60]}`: this version of runplan writes and reads `{of}`; documents of another "
            "one are for another version"
        )
    write(document_text(schema(name, library_here().vocabulary())))
    return CLEAN
