"""A list or a mapping where a text stands to the text that says the same: the help with it."""

from __future__ import annotations

from runplan.dsl.syntax.yaml_scalars import Scalar
from runplan.dsl.syntax.yaml_values import Mapping, Sequence, Value
from runplan.dsl.text.elsewhere import answer, ours

# What people call a value that is the only thing to say.
_BARE = ("type", "name", "kind", "value")
# The ends of a range, as people write them in a mapping.
_ENDS = {"min": "low", "at_least": "low", "low": "low", "max": "high", "at_most": "high", "high": "high"}
_DURATIONS = ("seconds", "minutes", "hours", "days", "weeks", "months", "years")
_YES = ("true", "yes", "1", "")


def as_text(what: str, value: Value, start: str) -> list[str]:
    """The help with a list or a mapping where a text stands, as far as it can be told from it.

    Args:
        start: The rule of the grammar that reads the text; empty where names with values stand.
    """
    if isinstance(value, Sequence):
        return _of_list(what, value, start)
    if isinstance(value, Mapping):
        return _of_mapping(what, value, start)
    name, sign, said = value.text.partition("=")
    return [f"write `{what}: {{{name.strip()}: {said.strip()}}}`"] if sign and name.strip() else []


def _of_list(what: str, value: Sequence, start: str) -> list[str]:
    texts = [item.text for item in value.items if isinstance(item, Scalar)]
    if texts and len(texts) == len(value.items):
        told = _of_texts(what, texts, start)
        return [told] if told else []
    blocks = [item for item in value.items if isinstance(item, Mapping)]
    if not blocks or len(blocks) < len(value.items):
        return []
    told = _of_blocks(what, blocks, start)
    return [told] if told else []


def _of_texts(what: str, texts: list[str], start: str) -> str:
    """The help with a list of texts; empty where there is none."""
    if what == "betas" and len(texts) == 2:
        return f"write `beta1: {texts[0]}, beta2: {texts[1]}`"
    if not start and all("=" in text for text in texts):
        pairs = (text.partition("=") for text in texts)
        return f"write `{what}: {{{', '.join(f'{name.strip()}: {said.strip()}' for name, _, said in pairs)}}}`"
    if what == "stages":
        named = ", ".join(f"{text}: {{tokens: 1T}}" for text in texts)
        return f"write the names as keys, each with what it says: `stages: {{{named}}}`"
    if len(texts) == 1 and start:
        return f"write `{what}: {texts[0]}`"
    if start == "amount" and len(texts) == 2:
        return f"a range is written `{what}: {' .. '.join(texts)}`"
    if start == "data_spec":
        named = ", ".join(f"source{number}: {text}" for number, text in enumerate(texts, 1))
        return f"give each source a name: `{what}: {{{named}}}`"
    return ""


def _of_blocks(what: str, blocks: list[Mapping], start: str) -> str:
    """The help with a list of mappings; empty where there is none."""
    if what == "stages":
        return "write the names as keys, each with what it says: `stages: {sft: {tokens: 10B}}`"
    if all(len(block.items) == 1 for block in blocks):
        pairs = ((key.text, item) for block in blocks for key, item in block.items)
        named = ", ".join(f"{key}: {item.text}" for key, item in pairs if isinstance(item, Scalar))
        return f"write the names as keys: `{what}: {{{named}}}`" if named else "leave out each `-`"
    named = ", ".join(f"{said.pop('name')}: {_source(said)}" for said in map(_said, blocks) if "name" in said)
    return f"write the names as keys: `{what}: {{{named}}}`" if start == "data_spec" and named else ""


def _of_mapping(what: str, value: Mapping, start: str) -> list[str]:
    said = _said(value)
    if start == "start_spec":
        named = said.get("start") or said.get("name") or said.get("model") or ""
        return [f"write `{what}: checkpoint{f' {named}' if named else ''}`"]
    if start == "law_names":
        return [f"write a list of names: `{what}: [{', '.join(key.text for key, _ in value.items)}]`"]
    if start == "constraint":
        return _comparison(value)
    if start == "rate_spec" and said:
        return [f"write `{what}: {' = '.join(next(iter(said.items())))} on 2026-01-15`, with the day of the rate"]
    if start == "data_spec" and (text := _source(said)):
        return [f"write it in one text: `{what}: {text}`"]
    if said and said.keys() <= _ENDS.keys():
        ends = {_ENDS[key]: text for key, text in said.items()}
        if len(ends) == 2:
            return [f"a range is written `{what}: {ends['low']} .. {ends['high']}`"]
        return [f"write `{what}: {'at least' if 'low' in ends else 'up to'} {next(iter(ends.values()))}`"]
    if start == "phase_spec" and (share := said.get("share") or said.get("length")):
        return [f"write `{what}: {share} {said.get('shape') or said.get('type') or 'linear'}`"]
    if start == "goal" and len(said) == 1:
        (name, text), *_ = said.items()
        return [f"write `{what}: {name if text.lower() in _YES else text}`"]
    if len(said) == 1 and (unit := next(iter(value.items))[0].text) in _DURATIONS:
        return [f"write `{what}: {next(iter(said.values()))} {unit}`"]
    bare = [text for key, text in said.items() if key in _BARE] or ([*said.values()] if len(said) == 1 else [])
    return [f"write `{what}: {bare[0]}`"] if len(bare) == 1 and start else []


def _said(value: Mapping) -> dict[str, str]:
    """What a mapping says in texts, under the words that a plan has for them."""
    texts = ((key.text, item.text) for key, item in value.items if isinstance(item, Scalar))
    return {key if key in (*_BARE, *_ENDS) else ours(key): text for key, text in texts}


def _source(said: dict[str, str]) -> str:
    """A source of data in one text; empty where its amount is not said."""
    amount = next((said[key] for key in ("tokens", "amount", "params", "data", "sequences") if key in said), "")
    if not amount:
        return ""
    amount += " tokens" * amount[-1:].isalnum() * (" " not in amount)
    parts = {"epochs": "up to {} epochs", "weight": "weight {}", "quality": "quality {}", "domain": "domain {}"}
    return " ".join([amount, *(parts[key].format(text) for key, text in said.items() if key in parts)])


def _comparison(value: Mapping) -> list[str]:
    """A comparison that is written as a key and its bound."""
    if not value.items:
        return []
    key, item = value.items[0]
    if isinstance(item, Mapping):
        bounds = [(f"{end.text}_{key.text}", text.text) for end, text in item.items if isinstance(text, Scalar)]
    else:
        bounds = [(key.text, item.text)] if isinstance(item, Scalar) else []
    for name, text in bounds:
        if text.startswith(("<", ">", "=")):
            return [f"write a comparison, such as `{ours(name)} {text}`"]
        told = answer(name, text, "", in_yaml=True) if "_" in name else []
        if told and told[0].startswith("write `require: "):
            return [told[0].replace("write `require: ", "write a comparison, such as `")]
        return [f"write a comparison, such as `{ours(name)} <= {text}`"]
    return []
