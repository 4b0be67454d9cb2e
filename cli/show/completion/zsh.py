"""The verbs as a script for zsh."""

from __future__ import annotations

from runplan.cli.show.completion.content import Commands, Option, Takes, Verb

_SCRIPT = """\
#compdef plan
# What zsh completes of `plan`; written by `plan completion zsh`.
#   plan completion zsh > a folder of $fpath, as _plan

_plan_plans() {{ _files -g '*.plan(|.yaml|.yml)' }}
{names}

_plan() {{
  local -a verbs
  verbs=(
{verbs}
  )
  if (( CURRENT == 2 )); then
    _describe verb verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
{cases}
  esac
}}

if [[ $funcstack[1] == _plan ]]; then _plan "$@"; else compdef _plan plan; fi
"""
_ACTIONS = {"plans": "_plan_plans", "files": "_files", "folders": "_files -/", "text": ""}


def script(commands: Commands) -> str:
    """The script, for a folder of `fpath` or to be read by `source`."""
    names = "\n".join(
        f'_plan_{kind}() {{ compadd "$@" -- {" ".join(words)} }}' for kind, words in commands.names.items()
    )
    verbs = "\n".join(f"    {_quoted(f'{verb.name}:{verb.help}')}" for verb in commands.verbs)
    return _SCRIPT.format(names=names, verbs=verbs, cases="\n".join(map(_case, commands.verbs)))


def _case(verb: Verb) -> str:
    specs = [spec for option in verb.options for spec in _specs(option)]
    specs += [f"{'*' if takes.again else ''}:{_action(takes)}" for takes in verb.arguments]
    lines = "".join(f" \\\n        {_quoted(spec)}" for spec in specs)
    return f"    {verb.name})\n      _arguments -S{lines}\n      ;;"


def _specs(option: Option) -> list[str]:
    """An option in each of its spellings; a long one takes its value after `=`, too."""
    told = f"[{_escaped(option.help)}]"
    if option.takes is None:
        return [f"{flag}{told}" for flag in option.flags]
    takes = _action(option.takes)
    return [f"*{flag}{'=' if flag.startswith('--') else ''}{told}:{takes}" for flag in option.flags]


def _action(takes: Takes) -> str:
    """What stands after the first colon of a specification: the word of help, and what to do."""
    names = f"{'_sequence ' if takes.joined else ''}_plan_{takes.kind}"
    does = f"({' '.join(takes.words)})" if takes.kind == "words" else _ACTIONS.get(takes.kind, names)
    return f"{_escaped(takes.shown)}:{does}"


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "[]:\\" else c for c in text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
