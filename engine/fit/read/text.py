"""The bytes of a file of runs into a text, or into why they are none."""

from __future__ import annotations

from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.limits import MAX_RUNS_BYTES, most_bytes
from runplan.dsl.text.source import Source, Span

_GZIP = b"\x1f\x8b"
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def text_of(path: str, content: bytes) -> tuple[Source, Finding | None]:
    """The text of a file, with the line ends of Unix: what a spreadsheet writes is read as well, such as UTF-16."""
    empty = Source(path, "")
    start = Span(empty, 0, 0)
    if len(content) > (most := most_bytes(path)):
        named = f"call it `.csv`, or `.log`: then {MAX_RUNS_BYTES:,} are read"
        help = ["keep every tenth line, or the runs that matter"] if most == MAX_RUNS_BYTES else [named]
        return empty, finding("S004", f"the file is larger than {most:,} bytes", start, help=help)
    mark, encoding = next((pair for pair in _MARKS if content.startswith(pair[0])), (b"", "utf-8"))
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start + len(mark)) + 1
        message = f"byte {error.start + len(mark)}, in line {line}, is not {encoding.upper()} text"
        help = ["save it as CSV in UTF-8; a Parquet file ends in `.parquet`"]
        if content.startswith(_GZIP):
            message, help = "the file is packed, by gzip", ["unpack it first: `gunzip FILE`"]
        return empty, finding("S003", message, start, help=help)
    if "\0" in text:
        return empty, finding("S003", "the file is binary: it has a NUL", start, help=["save it as CSV in UTF-8"])
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Source(path, text), None
