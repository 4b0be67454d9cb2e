"""What a plan may have many of: texts of so many of each, whose cost is to grow no faster than they do."""

from __future__ import annotations

from collections.abc import Callable


def _lines(line: str) -> Callable[[int], str]:
    return lambda n: "".join(line.format(i=i, next=i + 1) for i in range(n))


# How many a plan is measured with of what it may not have a thousand of, or what takes too long with a thousand.
MOST = {
    "requirements": 60,
    "phases": 500,
    "pools": 40,
    "sources of an open weight": 100,
    "stages": 50,
    "laws that are asked": 100,
    "branches of an if": 100,
    "terms": 100,
    "probabilities": 60,
    "choices": 30,
}
GROWING: dict[str, Callable[[int], str]] = {
    "requirements": _lines("require tokens >= {next}B\n"),
    "sources": lambda n: _lines(f"data s{{i}}: {10_000 // n + 1}B tokens\n")(n),
    "sources seen repeatedly": lambda n: "".join(
        f"data s{i}: {100 / n:.4f}B tokens up to 4 epochs\n" for i in range(n)
    ),
    "sources of an open weight": lambda n: _lines(f"data s{{i}}: {10_000 // n}{{i:03}}M tokens weight ?\n")(n),
    "lets": _lines("let a{i} = {next}B tokens\n"),
    "chained lets": lambda n: "let a0 = 1B tokens\n" + _lines("let a{next} = a{i} * 1.001\n")(n),
    "pools": _lines("  + 8 x A100 for 60 days at 40% MFU @ 1.{next:02} USD/GPU/hour\n"),
    "phases": lambda n: _lines(f"phase p{{i}}: {100 / n:.6f}% constant\n")(n),
    "rules": _lines(
        'rule Z{i:04} my-{i} warning {{\n  when tokens > {next}e30 tokens\n  says "much"\n  cites "us"\n}}\n'
    ),
    "laws": _lines('law my{i} extends chinchilla {{\n  cites "us"\n}}\n'),
    "laws that are asked": lambda n: (
        _lines('law my{i} extends chinchilla {{\n  cites "us"\n}}\n')(n)
        + f"use laws {', '.join(f'my{i}' for i in range(n))}\n"
    ),
    "stages": lambda n: (
        "model: 7B\n" + "".join(f"stage s{i} {{ data d{i}: 50B tokens; tokens: {100 / n}B }}\n" for i in range(n))
    ),
    "branches of an if": lambda n: (
        f"let a = {''.join(f'if tokens > {i + 3}B then {i + 1} else ' for i in range(n))}0\nrequire a >= 0\n"
    ),
    "terms": lambda n: f"let a = {' + '.join(f'{i + 1}B tokens' for i in range(n))}\n",
    "probabilities": lambda n: "".join(f"require P(loss <= 2.{30 + i}) >= {50 + i % 40}%\n" for i in range(n)),
    "choices": lambda n: "".join(f"require params >= {30 + i}B or tokens >= {100 + i}B\n" for i in range(n)),
}
