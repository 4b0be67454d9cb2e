"""The server as an editor meets it: a client of the protocol, over a pipe, from its first word to its last."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

from runplan.cli.main import main

COMMAND = [sys.executable, "-m", "runplan", "lsp"]
PLAN = """\
# 🙂 a plan
plan "🙂"
let budget = 12M USD  # 🙂
hardware: 1000 x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour
data "🙂": 10T tokens; require cost <= budget because "🙂"
minimize loss
"""
YAML = """\
# 🙂 a plan
{plan: "🙂", let: {budget: 12M USD},
 hardware: 1000 x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour,
 data: {"🙂": 10T tokens}, require: [cost <= budget], minimize: loss}
"""


@pytest_lsp.fixture(config=ClientServerConfig(server_command=COMMAND))
async def client(lsp_client: LanguageClient, tmp_path: Path) -> AsyncIterator[None]:
    (tmp_path / "runplan.toml").write_text('packs = ["pack.plan"]\n', encoding="utf-8")
    (tmp_path / "pack.plan").write_text("device newchip { peak bf16 500 TFLOP/s }\n", encoding="utf-8")
    capabilities = client_capabilities("visual-studio-code")
    params = lsp.InitializeParams(capabilities=capabilities, root_uri=tmp_path.as_uri())
    result = await lsp_client.initialize_session(params)
    assert result.capabilities.position_encoding == "utf-16"
    yield
    await lsp_client.shutdown_session()


def text_document(path: Path) -> lsp.TextDocumentIdentifier:
    return lsp.TextDocumentIdentifier(path.as_uri())


def opened(client: LanguageClient, path: Path, text: str) -> None:
    item = lsp.TextDocumentItem(path.as_uri(), "plan", 1, text)
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))


def edited(client: LanguageClient, path: Path, text: str, version: int) -> None:
    of = lsp.VersionedTextDocumentIdentifier(version, path.as_uri())
    changes: list[lsp.TextDocumentContentChangeEvent] = [lsp.TextDocumentContentChangeWholeDocument(text)]
    client.text_document_did_change(lsp.DidChangeTextDocumentParams(of, changes))


async def shown(client: LanguageClient, path: Path, code: str) -> list[lsp.Diagnostic]:
    """The diagnostics of a file, once a code is among them."""
    async with asyncio.timeout(60):
        while code not in {d.code for d in client.diagnostics.get(path.as_uri(), ())}:
            await client.wait_for_notification(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    return list(client.diagnostics[path.as_uri()])


def place(text: str, word: str) -> lsp.Position:
    """Where a word begins, in UTF-16."""
    before = text[: text.index(word)]
    line = before.rpartition("\n")[2]
    return lsp.Position(before.count("\n"), len(line.encode("utf-16-le")) // 2)


def marked(text: str, where: lsp.Range) -> str:
    """What a range of one line takes in, counted in UTF-16."""
    line = text.split("\n")[where.start.line].encode("utf-16-le")
    assert where.start.line == where.end.line
    return line[2 * where.start.character : 2 * where.end.character].decode("utf-16-le")


@pytest.mark.asyncio
async def test_a_session(client: LanguageClient, tmp_path: Path) -> None:
    for name, text in (("a.plan", PLAN), ("b.plan.yaml", YAML)):
        path = tmp_path / name
        of = text_document(path)
        opened(client, path, text)
        await shown(client, path, "H004")
        at = place(text, "cost <=")
        hover = await client.text_document_hover_async(lsp.HoverParams(of, at))
        assert hover is not None and isinstance(hover.contents, lsp.MarkupContent) and hover.range is not None
        assert "10.8M USD" in hover.contents.value and marked(text, hover.range) == "cost"
        at = place(text, "budget because" if name == "a.plan" else "budget]")
        found = await client.text_document_definition_async(lsp.DefinitionParams(of, at))
        assert isinstance(found, lsp.Location) and marked(text, found.range) == "budget"
        uses = await client.text_document_references_async(lsp.ReferenceParams(lsp.ReferenceContext(True), of, at))
        assert [marked(text, use.range) for use in uses or ()] == ["budget", "budget"]
        edit = await client.text_document_rename_async(lsp.RenameParams(of, at, "limit"))
        assert edit is not None and len((edit.changes or {}).get(of.uri, ()) or edit.document_changes or ()) > 0
        items = await client.text_document_completion_async(lsp.CompletionParams(of, at))
        assert isinstance(items, lsp.CompletionList) and items.items[0].label == "budget"
        library = await client.text_document_definition_async(lsp.DefinitionParams(of, place(text, "H100")))
        assert isinstance(library, lsp.Location) and library.uri.endswith("stdlib/devices/h100-sxm.plan")
        whole = lsp.Range(lsp.Position(0, 0), lsp.Position(99, 0))
        hints = await client.text_document_inlay_hint_async(lsp.InlayHintParams(of, whole))
        assert any(str(hint.label).startswith("loss = ") for hint in hints or ())
        outline = await client.text_document_document_symbol_async(lsp.DocumentSymbolParams(of))
        assert [symbol.name for symbol in outline or ()][1:4] == ["budget", "hardware", "🙂"]
        options = lsp.FormattingOptions(2, True)
        await client.text_document_formatting_async(lsp.DocumentFormattingParams(of, options))
        colours = await client.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(of))
        assert colours is not None and len(colours.data) % 5 == 0 < len(colours.data)
        assert await client.text_document_folding_range_async(lsp.FoldingRangeParams(of)) is not None

    path, of = tmp_path / "a.plan", text_document(tmp_path / "a.plan")
    edited(client, path, PLAN.replace("cost <= budget", "cost <= budgte"), 2)
    (wrong,) = await shown(client, path, "N002")
    assert marked(PLAN.replace("budget because", "budgte because"), wrong.range) == "budgte"
    context = lsp.CodeActionContext([wrong])
    actions = await client.text_document_code_action_async(lsp.CodeActionParams(of, wrong.range, context))
    assert actions and isinstance(actions[0], lsp.CodeAction) and actions[0].is_preferred
    pulled = await client.text_document_diagnostic_async(lsp.DocumentDiagnosticParams(of))
    assert isinstance(pulled, lsp.RelatedFullDocumentDiagnosticReport) and list(pulled.items) == [wrong]
    again = lsp.DocumentDiagnosticParams(of, previous_result_id=pulled.result_id)
    assert isinstance(await client.text_document_diagnostic_async(again), lsp.RelatedUnchangedDocumentDiagnosticReport)
    with pytest.raises(Exception, match="quantity"):
        await client.text_document_rename_async(lsp.RenameParams(of, place(PLAN, "budget ="), "cost"))

    edited(client, path, PLAN.replace("H100", "newchip"), 3)
    await shown(client, path, "H004")
    opened(client, tmp_path / "pack.plan", "device oldchip { peak bf16 500 TFLOP/s }\n")
    await shown(client, path, "N002")


def message(content: dict[str, object]) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **content}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize(("ends", "code"), [(["shutdown", "exit"], 0), (["exit"], 1), ([], 1)])
def test_how_it_ends(tmp_path: Path, ends: list[str], code: int) -> None:
    params: dict[str, object] = {"processId": None, "rootUri": None, "capabilities": {}}
    start = message({"id": 0, "method": "initialize", "params": params})
    said = {"shutdown": message({"id": 1, "method": "shutdown"}), "exit": message({"method": "exit"})}
    sent = start + b"".join(said[end] for end in ends)
    done = subprocess.run(COMMAND, cwd=tmp_path, input=sent, capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (code, b"")
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_it_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "runplan.editor.server", raising=False)
    monkeypatch.setitem(sys.modules, "pygls", None)
    assert main(["lsp"]) == 2
    assert "pip install 'runplan[lsp]'" in capsys.readouterr().err
