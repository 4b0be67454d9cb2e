"""`plan import-config`: the configuration of a run that there is as a plan."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping

from runplan.cli.arguments import Parser, reading, verb
from runplan.cli.importing.formats import FORMS, read
from runplan.cli.importing.imported import Imported, Word
from runplan.cli.importing.keys import Unreadable
from runplan.cli.importing.plan_text import is_data_taken, plan_of, sequence_taken
from runplan.cli.importing.tree import tree_of
from runplan.cli.outcome import CLEAN, FOUND, CannotRun
from runplan.cli.paths import reader_for
from runplan.cli.show.findings.concise import line
from runplan.cli.stream import tell, write
from runplan.dsl.dataclass import replace
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.reader import decoded
from runplan.dsl.text.source import Span

_COUNT = re.compile(r"\s*(?:up to\s+)?([\d_,]+)\s*[x\u00d7]", re.IGNORECASE)


@verb("import-config")
def run(argv: list[str]) -> int:
    """Write the plan; exit 1 where a file has an architecture or a schedule that no plan can say."""
    parser = Parser(
        prog="plan import-config",
        description="The configuration of a run that there is, as a plan: the model's shape, batch, learning rate, "
        f"schedule, length, layout. It reads {'; '.join(form.title for form in FORMS)}. Several files are of one run.",
        epilog="example: plan import-config config.json training_args.json --hardware '64 x H100 for 30 days'",
    )
    parser.add_argument("paths", metavar="FILE", nargs="+", help="files of one run, or a folder with them")
    parser.add_argument("--hardware", metavar="TEXT", default="", help="what it runs on, as the plan is to say it")
    parser.add_argument("--devices", metavar="N", help="copies of the model, for the batch of one device")
    parser.add_argument("--config", metavar="NAME", default="", help="of a module of Python the function that is meant")
    parser.add_argument(
        "--vocab", metavar="N", help="entries of the vocabulary, where a file leaves them to its tokenizer"
    )
    parser.add_argument("--sequence", metavar="N", help="tokens of a sequence in training, where no file says them")
    parser.add_argument("--data", metavar="TEXT", default="", help="tokens that there are, for a length in epochs")
    parser.add_argument("-o", "--out", metavar="FILE", help="where to write; standard output unless said")
    args = parser.parse_args(argv)
    copies = None if args.devices is None else _count(args.devices, "--devices")
    vocab = None if args.vocab is None else _count(args.vocab, "--vocab")
    sequence = None if args.sequence is None else _count(args.sequence, "--sequence")
    found: Imported | None = None
    for path in [file for each in args.paths for file in _files(each)]:
        with reading(path):
            name, _, reader = reader_for(path, path)
            source, wrong = decoded(name.replace(os.sep, "/"), reader.read(name))
        if wrong is not None:
            return _refused(wrong)
        try:
            tree = tree_of(path, source.text, args.config)
            one = read(path, {**tree, **({"vocab_size": vocab} if vocab else {})}, _title(path))
        except Unreadable as error:
            return _refused(finding("E003", str(error), Span(source, 0, len(source.line_text(1)))))
        found = one if found is None else found.beside(one)
    assert found is not None
    if sequence:
        found = replace(found, sequence=sequence)
    for message in _taken(found, args.data):
        tell(line(finding("E004", message, Span(source, 0, len(source.line_text(1))))))
    text = plan_of(found, args.hardware, _copies(copies, args.hardware, found.layout), args.data)
    write(text, args.out)
    return _checked(text, args.out)


def _files(path: str) -> list[str]:
    """The files that a path stands for: of a folder its model's and its trainer's."""
    if not os.path.isdir(path):
        return [path]
    known = ("config.json", "training_args.json", "training_args.yaml")
    there = [os.path.join(path, name) for name in known if os.path.exists(os.path.join(path, name))]
    if not there:
        raise CannotRun(f"{path}: there is none of {', '.join(known)}")
    return there


def _title(path: str) -> str:
    """What a run is called whose file does not say it: its file, or the folder of one that is called as all are."""
    stem = os.path.splitext(os.path.basename(path))[0]
    above = os.path.basename(os.path.dirname(os.path.abspath(path)))
    return above if stem in ("config", "training_args") and above else stem


def _taken(found: Imported, data: str) -> Iterator[str]:
    """What no file says and the plan has to, with what is taken in its place."""
    if taken := sequence_taken(found):
        what = f"taken to be the longest of the model, {taken} tokens" if found.longest else f"{taken} tokens stand in"
        yield f"no file says how long a sequence of training is: {what}; --sequence N says it"
    if is_data_taken(found) and not data:
        told = f"{found.epochs:g} epochs of data whose size no file says"
        yield f"the length is {told}: a figure stands in for it; --data '2B tokens' says it"


def _copies(said: int | None, hardware: str, layout: Mapping[str, Word]) -> int:
    """Copies of the model: as many as there are devices, over those that one takes; one where that is not said.

    Args:
        said: How many are asked for.

    Raises:
        CannotRun: Where these would take more devices than there are.
    """
    count = _COUNT.match(hardware)
    devices = int(re.sub(r"\D", "", count[1])) if count else 1
    each = math.prod(int(layout.get(cut, 1)) for cut in ("tp", "pp", "cp"))
    if said and count and said * each > devices:
        told = f"{said:,} copies of the model, of {each} devices each, are more than the {devices:,} of `--hardware`"
        raise CannotRun(f"`--devices {said}`: {told}; leave it out, and there are as many as go on these")
    return said or max(devices // each, 1)


def _count(said: str, option: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,6}", said):
        raise CannotRun(f"`{option} {said[:60]}`: write how many, such as 64")
    return int(said)


def _checked(text: str, out: str | None) -> int:
    """Solve the plan that was made, and say what is wrong with it."""
    from runplan.dsl.text.reader import Buffer, Disk
    from runplan.engine.pipeline import report_of

    name = out or "imported.plan"
    report = report_of(name, Buffer(name, text.encode(), Disk(os.getcwd())), intervals=False)
    wrong = [one for one in report.findings if one.severity == "error"]
    for one in wrong:
        tell(line(one))
    return FOUND if wrong else CLEAN


def _refused(found: Finding) -> int:
    tell(line(found))
    return FOUND
