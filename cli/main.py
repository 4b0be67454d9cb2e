"""The `plan` command: a verb and its arguments to an exit code.

0 clean · 1 found something · 2 could not run · 3 a bug of ours · 4 undecided by a limit. The same in every format.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress

from runplan import __version__
from runplan.cli.answers import answered
from runplan.cli.stream import flush, listen, say_no_more

# Each verb is a module of `cli.verbs` with `run(argv) -> exit code`, imported when it is asked for.
VERBS = {
    "init": "write a commented first plan",
    "check": "parse, solve and judge plans; the verb for CI",
    "solve": "the report of one plan: size, tokens, cost, loss, schedule, data mix",
    "explain": "where a number comes from",
    "compare": "laws, or plans, side by side",
    "diff": "plans as of a commit and now: what moved, and why",
    "lock": "pin what plans rest on, and what they come to",
    "frontier": "the best of one quantity for each value of another",
    "sweep": "a plan at each point of a grid",
    "fmt": "plans in one layout, or in the other spelling",
    "fit": "a law whose constants your own runs tell, as a pack",
    "ladder": "the small runs whose fit sizes the big one",
    "track": "a run in progress against its plan: finish, cost, loss, drift",
    "backtest": "laws and default rates against runs that were done",
    "export": "a solved plan as the configuration of a trainer or a scheduler",
    "import-config": "the configuration of a run that there is, as a plan",
    "law": "the laws: a list, a page, or a value with --at",
    "device": "the devices and their figures",
    "model": "the published models and their shapes",
    "rule": "the rules and what they stand for",
    "config": "the settings of a project, and where each comes from",
    "test": "golden values of packs",
    "lsp": "a language server for editors",
    "schema": "the JSON Schemas of what this command writes, and of plans in YAML",
    "completion": "what a shell completes of this command",
}
ALIASES = {"report": "solve"}

# A command ends soon, and most that it makes, such as the tables of the grammar, lives until then. To look for garbage
# after every 700 new objects, as Python does, takes a fifth of the time in which those tables are made.
OBJECTS_TO_COLLECT = 100_000

HELP = """\
usage: plan VERB [OPTIONS] [PATHS]

Plans of language-model training runs: hardware, data, objective and constraints, solved against scaling laws.

verbs:
{verbs}

`plan VERB --help` tells more, with an example. The language is described in docs/language.md.
"""


def command() -> int:
    """The command as a process of its own, which ends at once: Python would take apart each object first.

    It does not end so where threads may be left, or what runs at exit: what brings either imports `threading`.
    """
    code = main()
    if "threading" not in sys.modules:
        with suppress(OSError, ValueError):  # a reader that has enough; Python has its own end for that
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return code


def main(argv: list[str] | None = None) -> int:
    """Run the command; the arguments are those of the process where none are given."""
    args = list(sys.argv[1:] if argv is None else argv)
    _steady_streams()
    gc.set_threshold(OBJECTS_TO_COLLECT)
    try:
        code = _answer(args)
        flush()
        return code
    except SystemExit as stop:  # argparse ends this way
        code = stop.code if isinstance(stop.code, int) else 2
        if code:
            _tell_json(args, code, "the command line cannot be read; standard error says why")
        return code
    except BrokenPipeError:  # in the midst of what is said as it is found
        say_no_more()
        return 2
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None:  # what is no file's is of standard output
            print(f"plan: standard output: {error.strerror or 'cannot be written'}", file=sys.stderr)
            say_no_more()
            return 2
        _tell_json(args, 3, f"a bug in runplan: {type(error).__name__}: {error}")
        return _bug(args[0], error)


def _answer(args: list[str]) -> int:
    """Do what is asked."""
    if not args or args[0] in ("-h", "--help", "help"):
        verbs = "\n".join(f"  {name:<13} {text}" for name, text in VERBS.items() if _exists(name))
        sys.stdout.write(HELP.format(verbs=verbs))
        return 0 if args else 2
    if args[0] in ("--version", "-V", "version"):
        print(f"plan {__version__}")
        return 0
    verb = ALIASES.get(args[0], args[0])
    if verb not in VERBS or not _exists(verb):
        _tell_json(args, 2, f"unknown verb `{args[0][:60]}`")
        return _unknown(args[0])
    return answered(verb, args[1:], lambda: _run(verb, args[1:]))


def _run(verb: str, args: list[str]) -> int:
    from importlib import import_module

    from runplan.modules import install

    install()
    code: int = import_module(f"runplan.cli.verbs.{module_of(verb)}").run(args)
    return code


def _tell_json(args: list[str], code: int, message: str) -> None:
    from runplan.cli.output import tell_json

    tell_json(args, code, message)


def _exists(verb: str) -> bool:
    return os.path.exists(os.path.join(os.path.dirname(__file__), "verbs", f"{module_of(verb)}.py"))


def module_of(verb: str) -> str:
    """The module of a verb."""
    return verb.replace("-", "_")


def _steady_streams() -> None:
    """Never fail on a character that the terminal cannot show, nor for want of a stream."""
    listen()
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # in the order of the numbers that they take
        if getattr(sys, name) is None:  # `plan check a.plan >&-`
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _unknown(verb: str) -> int:
    from runplan.cli.outcome import COULD_NOT_RUN
    from runplan.dsl.text.nearest import did_you_mean

    (help,) = did_you_mean(verb, filter(_exists, VERBS)) or ["`plan --help` lists the verbs"]
    print(f"plan: unknown verb `{verb[:60]}`; {help}", file=sys.stderr)
    return COULD_NOT_RUN


def _bug(verb: str, error: Exception) -> int:
    """What to say of a bug: what it was and where, without a traceback."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = ""
    if trace is not None:
        where = f" at {os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
    lines = (
        f"plan {verb}: this is a bug in runplan {__version__}, not in your plan",
        f"  {type(error).__name__}: {error}{where}",
        "  Please report it with the plan and the lines above; set RUNPLAN_DEBUG=1 for the full trace.",
    )
    print("\n".join(lines), file=sys.stderr)
    if os.environ.get("RUNPLAN_DEBUG"):
        import traceback

        traceback.print_exception(error)
    from runplan.cli.outcome import BUG

    return BUG


if __name__ == "__main__":
    raise SystemExit(main())
