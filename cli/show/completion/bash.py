"""The verbs as a script for bash, from version 3.2 on."""

from __future__ import annotations

from runplan.cli.show.completion.content import Commands, Takes, Verb

_SCRIPT = """\
# What bash completes of `plan`; written by `plan completion bash`.
#   plan completion bash > ~/.local/share/bash-completion/completions/plan

_plan_words() {{ # of a list with commas the last one
  local before=
  case $cur in *,*) before=${{cur%,*}}, ;; esac
  COMPREPLY=($(compgen -P "$before" -W "$1" -- "${{cur##*,}}"))
}}

_plan_offer() {{
  local IFS=$' \\t\\n' words
  case $1 in
    plans)
      compopt -o filenames 2> /dev/null
      IFS=$'\\n'
      COMPREPLY=($(compgen -d -- "$cur") $(compgen -f -X '!*.plan?(.yaml|.yml)' -- "$cur"))
      ;;
    files)
      compopt -o filenames 2> /dev/null
      IFS=$'\\n'
      COMPREPLY=($(compgen -f -- "$cur"))
      ;;
    folders)
      compopt -o filenames 2> /dev/null
      IFS=$'\\n'
      COMPREPLY=($(compgen -d -- "$cur"))
      ;;
{names}
    =*)
      words=${{1#=}}
      _plan_words "${{words//,/ }}"
      ;;
  esac
}}

_plan() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} option=${{COMP_WORDS[COMP_CWORD - 1]}} verb=${{COMP_WORDS[1]}}
  local given= options= valued= arguments= i word at=0
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    _plan_words "{verbs}"
    return
  fi
  # Bash takes `--fail-on=error` for three words.
  if [ "$cur" = "=" ]; then
    cur= given=yes
  elif [ "$option" = "=" ]; then
    option=${{COMP_WORDS[COMP_CWORD - 2]}} given=yes
  fi
  case "$verb $option" in
{values}
  esac
  if [ -n "$given" ]; then # the file of `-o json=FILE`
    _plan_offer files
    return
  fi
  case $verb in
{verb_cases}
  esac
  case $cur in
    -*)
      _plan_words "$options"
      return
      ;;
  esac
  for ((i = 2; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    case $word in
      = | -*) case " $valued " in *" $word "*) ((i++)) ;; esac ;;
      *) ((at++)) ;;
    esac
  done
  for word in $arguments; do
    case $word in
      *+)
        _plan_offer "${{word%+}}"
        return
        ;;
    esac
    if ((at-- == 0)); then
      _plan_offer "$word"
      return
    fi
  done
}}

shopt -s extglob
complete -F _plan plan
"""


def script(commands: Commands) -> str:
    """The script, for a file that bash reads."""
    names = "\n".join(f'    {kind}) _plan_words "{" ".join(words)}" ;;' for kind, words in commands.names.items())
    values = [
        f"    {' | '.join(_quoted(f'{verb.name} {flag}') for flag in option.flags)})\n"
        f"      _plan_offer {_quoted(_kind(option.takes))}\n      return\n      ;;"
        for verb in commands.verbs
        for option in verb.options
        if option.takes
    ]
    return _SCRIPT.format(
        verbs=" ".join(verb.name for verb in commands.verbs),
        names=names,
        values="\n".join(values),
        verb_cases="\n".join(map(_case, commands.verbs)),
    )


def _case(verb: Verb) -> str:
    options = [flag for option in verb.options for flag in option.flags]
    valued = [flag for option in verb.options if option.takes for flag in option.flags]
    arguments = [f"{_kind(takes)}{'+' if takes.again else ''}" for takes in verb.arguments]
    return (
        f"    {verb.name})\n      options={_quoted(' '.join(options))}\n      valued={_quoted(' '.join(valued))}\n"
        f"      arguments={_quoted(' '.join(arguments))}\n      ;;"
    )


def _kind(takes: Takes) -> str:
    """A kind, or after `=` the words themselves."""
    return f"={','.join(takes.words)}" if takes.kind == "words" else takes.kind


def _quoted(text: str) -> str:
    return f"'{text}'"
