"""The verbs as a script for PowerShell."""

from __future__ import annotations

from runplan.cli.show.completion.content import Commands, Takes, Verb

_SCRIPT = """\
# What PowerShell completes of `plan`; written by `plan completion powershell`.
#   plan completion powershell >> $PROFILE

Register-ArgumentCompleter -Native -CommandName plan -ScriptBlock {{
    param($wordToComplete, $commandAst, $cursorPosition)
    $names = @{{
{names}
    }}
    $verbs = [ordered]@{{
{verbs}
    }}
    $words = @($commandAst.CommandElements | ForEach-Object {{ $_.ToString() }})
    $at = $words.Count
    if ($wordToComplete) {{ $at -= 1 }}
    if ($at -le 1) {{
        $verbs.Keys | Where-Object {{ $_ -like "$wordToComplete*" }} | ForEach-Object {{
            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $verbs[$_].help)
        }}
        return
    }}
    $verb = $verbs[$words[1]]
    if (-not $verb) {{ return }}
    $before = ''
    if ($wordToComplete -like '*,*') {{ $before = $wordToComplete -replace '[^,]*$', '' }}
    $option = $verb.options[$words[$at - 1]]
    if ($option) {{
        $offered = $names[$option.takes] + $option.words
    }} elseif ($wordToComplete -like '-*') {{
        $offered = $verb.options.Keys
    }} else {{
        $offered = $verb.arguments | ForEach-Object {{ $names[$_] }}
    }}
    # Nothing where a path is to follow: PowerShell completes those itself.
    $offered | Where-Object {{ $_ -and "$before$_" -like "$wordToComplete*" }} | ForEach-Object {{
        [System.Management.Automation.CompletionResult]::new("$before$_", $_, 'ParameterValue', $_)
    }}
}}
"""


def script(commands: Commands) -> str:
    """The script, for a profile."""
    names = "\n".join(f"        {kind} = {_list(words)}" for kind, words in commands.names.items())
    return _SCRIPT.format(names=names, verbs="\n".join(map(_verb, commands.verbs)))


def _verb(verb: Verb) -> str:
    lines = [f"        {_quoted(verb.name)} = @{{", f"            help = {_quoted(verb.help)}"]
    lines.append(f"            arguments = {_list(tuple(takes.kind for takes in verb.arguments))}")
    lines.append("            options = [ordered]@{")
    for option in verb.options:
        lines += [f"                {_quoted(flag)} = {_takes(option.takes)}" for flag in option.flags]
    return "\n".join([*lines, "            }", "        }"])


def _takes(takes: Takes | None) -> str:
    if takes is None:
        return "$null"
    return f"@{{ takes = {_quoted(takes.kind)}; words = {_list(takes.words)} }}"


def _list(words: tuple[str, ...]) -> str:
    return f"@({', '.join(map(_quoted, words))})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
