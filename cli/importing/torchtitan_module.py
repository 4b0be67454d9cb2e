"""A module of torchtitan 0.3 to the sections of its configuration.

It is read, and never run: its calls with figures, texts and names that were given a figure.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from runplan.cli.importing.keys import Tree, Unreadable
from runplan.cli.importing.torchtitan import FAMILIES

# Of a model that is asked for, whether adapters are trained in its place.
_ADAPTED = "_adapted"
# What a model's layers are changed by, as it is called: `Float8LinearConverter`.
_CONVERTER = re.compile(r"\w+Converter\b")


def module(path: str, text: str, wanted: str = "") -> Tree:
    """The calls of a module as sections.

    Args:
        wanted: The function that gives the configuration; the only one unless said.

    Raises:
        Unreadable: Where it is no Python, has no such function or several, or trains adapters.
    """
    try:
        parsed = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(f"{path}: no Python: {str(error)[:80]}") from None
    functions = {one.name: one for one in parsed.body if isinstance(one, ast.FunctionDef)}
    found = {name: tree for name in functions if (tree := _given(name, functions, frozenset())) is not None}
    if wanted and wanted not in found:
        raise Unreadable(f"{path}: no function `{wanted}` gives a configuration: there are {', '.join(found)[:200]}")
    if not wanted and len(found) != 1:
        many = f"several functions give a configuration: add --config, one of {', '.join(found)[:200]}"
        raise Unreadable(f"{path}: {many if found else 'no function gives a `Trainer.Config`'}")
    name = wanted or next(iter(found))
    tree = found[name]
    shape = dict(_shape(parsed, dict(_figures(functions))))
    if shape:
        tree["shape"] = shape
    else:
        spec = tree.get("model_spec")
        if isinstance(spec, dict) and _ADAPTED in spec:  # it would be read as if all of the model were trained
            raise Unreadable("`LoRAConverter`: of torchtitan's runs those are read that train the whole model")
        tree["model"] = {"name": _family(path, name, parsed), **(spec if isinstance(spec, dict) else {})}
    for key in ("model_spec", "loss", "dataloader", "metrics", "checkpoint", "validator", "tokenizer", "profiler"):
        tree.pop(key, None)
    return tree


def _given(name: str, functions: dict[str, ast.FunctionDef], above: frozenset[str]) -> dict[str, object] | None:
    """The sections that a function gives: those of its call, or of another function's with what it sets of them.

    Args:
        above: Functions that ask for this one, of which it makes nothing.
    """
    function = functions[name]
    figures = dict(_figures(functions))
    if (call := _returned(function)) is not None:
        tree = {key.arg: _value(key.value, figures) for key in call.keywords if key.arg}
        return tree | dict(_special(((key.arg, key.value) for key in call.keywords), function))
    for node in function.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        asked = ast.unparse(node.value.func)
        if asked in functions and asked not in above | {name}:
            base = _given(asked, functions, above | {name})
            return None if base is None else _changed(base, function, ast.unparse(node.targets[0]), figures)
    return None


def _changed(
    base: dict[str, object], function: ast.FunctionDef, of: str, figures: dict[str, object]
) -> dict[str, object]:
    """Sections with what a function sets of them by lines such as `config.training.steps = 5`."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Attribute):
            continue
        root, *names = ast.unparse(node.targets[0]).split(".")
        if root != of:
            continue
        section = base
        for part in names[:-1]:
            inner = section.get(part)
            section[part] = section = dict(inner) if isinstance(inner, dict) else {}
        section[names[-1]] = _value(node.value, figures)
        if len(names) == 1:
            base |= dict(_special([(names[0], node.value)], function))
    return base


def _special(given: Iterable[tuple[str | None, ast.expr]], function: ast.FunctionDef) -> Iterator[tuple[str, object]]:
    """What other calls than those of sections stand for: the flavour of a model, and what is computed again."""
    told = dict(given)
    if (again := told.get("activation_checkpoint")) is not None:
        called = ast.unparse(again)
        mode = "full" if "FullAC" in called else "none" if called == "None" else "selective"
        yield "activation_checkpoint", {"mode": mode}
    if (changed := told.get("model_converters")) is not None:
        yield "model_converters", {"converters": _CONVERTER.findall(ast.unparse(changed))}
    if "model_spec" in told:
        yield "model_spec", _flavor(told["model_spec"]) or _flavor(function)


def _family(path: str, name: str, parsed: ast.Module) -> str:
    """The model that flavours are of: by the name of the function, the folder, or where `model_registry` is from."""
    sources = [node.module or "" for node in ast.walk(parsed) if isinstance(node, ast.ImportFrom)
               and any(one.name == "model_registry" for one in node.names)]  # fmt: skip
    for text in (*sources, path.replace("\\", "/").rpartition("/")[0].rpartition("/")[2], name):
        if inside := [family for family in FAMILIES if family in text]:
            return max(inside, key=len)
    return name.partition("_")[0]


def _figures(functions: dict[str, ast.FunctionDef]) -> Iterator[tuple[str, object]]:
    """The names that any function gives a figure or a text."""
    for one in functions.values():
        yield from _assigned(one)


def _returned(function: ast.FunctionDef) -> ast.Call | None:
    """What a function returns, where that is `Trainer.Config(...)`."""
    for node in ast.walk(function):
        returned = node.value if isinstance(node, ast.Return) else None
        if isinstance(returned, ast.Call) and ast.unparse(returned.func).endswith("Trainer.Config"):
            return returned
    return None


def _flavor(within: ast.AST) -> dict[str, object]:
    """The flavour of a model that is asked for, with what else is said of it; empty where none is."""
    for node in ast.walk(within):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("model_registry") and node.args:
            first = node.args[0]
            more = {one.arg: _value(one.value, {}) for one in node.keywords if one.arg}
            adapted = {_ADAPTED: True} if "LoRAConverter" in ast.unparse(node) else {}
            if "converters" in more:
                more["converters"] = _CONVERTER.findall(ast.unparse(node))
            return {"flavor": str(first.value) if isinstance(first, ast.Constant) else "", **more, **adapted}
    return {}


def _assigned(function: ast.FunctionDef) -> Iterator[tuple[str, object]]:
    """The names of a function that are given figures or texts."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            targets = node.targets[0].elts if isinstance(node.targets[0], ast.Tuple) else [node.targets[0]]
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for target, value in zip(targets, values, strict=False):
                if isinstance(target, ast.Name) and isinstance(value, ast.Constant):
                    yield target.id, value.value


def _value(node: ast.expr, figures: dict[str, object]) -> object:
    """A figure, a text, a list of them, or the arguments of a call; as it is written where it is another thing."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in figures:
        return figures[node.id]
    if isinstance(node, ast.Tuple | ast.List):
        return [_value(one, figures) for one in node.elts]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        return -node.operand.value if isinstance(node.operand.value, int | float) else ast.unparse(node)
    if isinstance(node, ast.Call):
        return {one.arg: _value(one.value, figures) for one in node.keywords if one.arg}
    return ast.unparse(node)[:80]


def _shape(parsed: ast.Module, figures: dict[str, object]) -> Iterator[tuple[str, object]]:
    """The shape of a model of the family of llama3 that is made in the module itself."""
    named = {"n_layers": "layers", "dim": "hidden", "n_heads": "heads", "n_kv_heads": "kv_heads", "hidden_dim": "ffn"}
    for node in ast.walk(parsed):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        given = {one.arg: _value(one.value, figures) for one in node.keywords if one.arg}
        if called.endswith("_build_llama3_layers"):
            yield from ((named[key], value) for key, value in given.items() if key in named)
        if called.endswith("Llama3Model.Config"):
            yield "vocab", given.get("vocab_size")
            if given.get("enable_weight_tying") is True:
                yield "tied", "true"
