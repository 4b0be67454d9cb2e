"""The files of `editors/` that are made of the language: `python editors/make.py` writes those that are not current."""

from __future__ import annotations

import json
from pathlib import Path

from runplan import __version__
from runplan.cli.highlight.tokens import Kind, Token, tokens
from runplan.cli.schemas.plan import plan_schema
from runplan.dsl.packs.standard import standard

HERE = Path(__file__).resolve().parent
# What themes of editors colour, by what a token is; of a name and of a blank nothing.
SCOPES: dict[Kind, str] = {
    "comment": "comment.line.number-sign",
    "ignored": "keyword.other.ignore",
    "string": "string.quoted.double",
    "date": "constant.other.date",
    "number": "constant.numeric",
    "unit": "support.type.unit",
    "keyword": "keyword.control",
    "joining": "keyword.operator.word",
    "field": "variable.other.property",
    "function": "support.function",
    "unknown": "constant.language.unknown",
    "operator": "keyword.operator",
    "punctuation": "punctuation.separator",
    "name": "variable.other",
}


def made() -> dict[str, str]:
    """The text of each file by its path from here."""
    return {
        "vscode/syntaxes/plan.tmLanguage.json": _text(textmate()),
        "vscode/plan.schema.json": _text(plan_schema(standard().vocabulary())),
        "vscode/package.json": _text(_package()),
    }


def textmate() -> dict[str, object]:
    """The TextMate grammar, which VS Code, Sublime Text and GitHub read."""
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "runplan",
        "scopeName": "source.runplan",
        "fileTypes": ["plan"],
        "patterns": [_pattern(token) for token in tokens() if token.kinds != ("blank",)],
    }


def _pattern(token: Token) -> dict[str, object]:
    scopes = [f"{SCOPES[kind]}.runplan" if kind in SCOPES else "" for kind in token.kinds]
    if len(scopes) == 1:
        return {"name": scopes[0], "match": token.pattern}
    captures = {str(at): {"name": scope} for at, scope in enumerate(scopes, 1) if scope}
    return {"match": token.pattern, "captures": captures}


def _package() -> dict[str, object]:
    """What is written by hand, with the version of this program and the matcher of its lines."""
    package: dict[str, object] = json.loads((HERE / "vscode" / "package.json").read_text("utf-8"))
    package["version"] = __version__
    contributes = package["contributes"]
    assert isinstance(contributes, dict)
    (matcher,) = json.loads((HERE / "github-matcher.json").read_text("utf-8"))["problemMatcher"]
    (pattern,) = matcher["pattern"]
    of_all = {**pattern, "regexp": pattern["regexp"].replace("(error|warning)", "(error|warning|info)")}
    contributes["problemMatchers"] = [
        {"name": "runplan", "owner": "runplan", "fileLocation": ["relative", "${workspaceFolder}"], "pattern": of_all}
    ]
    return package


def _text(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, text in made().items():
        path = HERE / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            print(f"written  {path.relative_to(HERE.parent)}")
