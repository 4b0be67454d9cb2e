"""How long a client of `plan lsp` waits: `python bench/editor.py [PLAN...]` starts a server and asks it, over a pipe.

Each kind of request is made at many places of each plan, then again right behind an edit, while that is being solved.
What is printed is the median and the longest, in milliseconds; a machine under load adds to both.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

ROOT = Path(__file__).resolve().parents[1]
PLANS = ("thousand-h100.plan", "pretrain-7b.plan.yaml", "three-stages.plan", "two-clusters.plan", "how-many-gpus.plan")
PLACES = 12


async def main(plans: list[Path]) -> None:
    """Ask a server about plans, and print how long each kind of request took."""
    client = LanguageClient("bench", "1")
    shown: asyncio.Queue[str] = asyncio.Queue()

    @client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def published(params: lsp.PublishDiagnosticsParams) -> None:
        shown.put_nowait(params.uri)

    await client.start_io(sys.executable, "-m", "runplan", "lsp")
    await client.initialize_async(lsp.InitializeParams(capabilities=lsp.ClientCapabilities(), root_uri=ROOT.as_uri()))
    client.initialized(lsp.InitializedParams())
    taken: dict[str, list[float]] = {}

    async def timed(name: str, request: Callable[[], Awaitable[object]]) -> None:
        begin = time.perf_counter()
        await request()
        taken.setdefault(name, []).append(1000 * (time.perf_counter() - begin))

    for path in plans:
        await one(client, shown, path, timed)
    for name, times in taken.items():
        print(f"{name:<40} {statistics.median(times):7.1f} {max(times):7.1f}   of {len(times)}")
    await client.shutdown_async(None)
    client.exit(None)


Tell = Callable[[lsp.DidOpenTextDocumentParams], None]
Timed = Callable[[str, Callable[[], Awaitable[object]]], Awaitable[None]]


async def one(client: LanguageClient, shown: asyncio.Queue[str], path: Path, timed: Timed) -> None:
    """The requests on one plan."""
    text, of = path.read_text(encoding="utf-8"), lsp.TextDocumentIdentifier(path.as_uri())

    async def settled() -> None:
        while await shown.get() != of.uri:
            pass

    opened = lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(of.uri, "plan", 1, text))
    await timed("open to findings", lambda: said(client.text_document_did_open, opened, settled()))
    lines = text.split("\n")
    places = [(i, len(line) // 2) for i, line in enumerate(lines) if line]
    for behind in ("", " while it is solved"):
        for version, place in enumerate(places[:PLACES], 2):
            at = lsp.Position(*place)
            requests: dict[str, Callable[[], Awaitable[object]]] = {
                "hover": partial(client.text_document_hover_async, lsp.HoverParams(of, at)),
                "completion": partial(client.text_document_completion_async, lsp.CompletionParams(of, at)),
                "definition": partial(client.text_document_definition_async, lsp.DefinitionParams(of, at)),
                "outline": partial(client.text_document_document_symbol_async, lsp.DocumentSymbolParams(of)),
            }
            for name, request in requests.items():
                if behind:
                    edit(client, of.uri, f"{text}\n# {version} {name}\n", 10 * version + len(name))
                await timed(f"{name}{behind}", request)
    change = lsp.VersionedTextDocumentIdentifier(1000, of.uri)
    for _ in range(5):
        change.version += 1
        while not shown.empty():
            shown.get_nowait()
        edit(client, of.uri, f"{text}\n# {change.version}\n", change.version)
        await timed("edit to findings, with the quiet of 120", settled)
    await asyncio.sleep(1.5)
    last = lsp.HoverParams(of, lsp.Position(len(lines) - 2, 12))
    await timed("hover with intervals", lambda: client.text_document_hover_async(last))


def edit(client: LanguageClient, uri: str, text: str, version: int) -> None:
    """A file is edited."""
    changes: list[lsp.TextDocumentContentChangeEvent] = [lsp.TextDocumentContentChangeWholeDocument(text)]
    of = lsp.VersionedTextDocumentIdentifier(version, uri)
    client.text_document_did_change(lsp.DidChangeTextDocumentParams(of, changes))


async def said(tell: Tell, what: lsp.DidOpenTextDocumentParams, then: Awaitable[None]) -> None:
    """Tell the server something, and wait for what comes of it."""
    tell(what)
    await then


if __name__ == "__main__":
    asyncio.run(main([Path(name).resolve() for name in sys.argv[1:]] or [ROOT / "plans" / name for name in PLANS]))
