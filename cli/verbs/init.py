"""`plan init`: a commented first plan, an empty configuration and a job for CI; what is there is left as it is."""

from __future__ import annotations

import json
import os
import shlex
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import runplan
from runplan.cli.arguments import Parser, unknown_word, verb
from runplan.cli.outcome import CLEAN, CannotRun
from runplan.cli.schemas.plan import plan_schema
from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.plain import plain
from runplan.dsl.packs.standard import standard

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
# The plan that each template writes, under the name of its file among the templates.
PLANS = {
    "training": "training.plan",
    "yaml": "training.plan.yaml",
    "compare": "compare.plan",
    "protein": "protein.plan",
}
CONFIGURATION = "runplan.toml"
# What the first line of a plan in YAML tells editors of.
SCHEMA = "plan.schema.json"
# What each system of CI reads at the root of a repository and nowhere else, by its template; the last is the job.
JOBS: dict[str, dict[str, str]] = {
    "github": {"github.yml": ".github/workflows/plan.yml"},
    "gitlab": {"gitlab.yml": ".gitlab-ci.yml", "gitlab-job.yml": ".gitlab/plan.yml"},
    "none": {},
}
SYSTEMS = {"github": "GitHub", "gitlab": "GitLab"}
# The words of a job that are written as this program was installed.
INSTALL = "pip install runplan"
# What an older `.gitlab-ci.yml` needs for the job to be in it.
INCLUDED = "include: [{ local: .gitlab/plan.yml }]"


@verb("init")
def run(argv: list[str]) -> int:
    """Write the files that are not there yet; exit 2 where none could be written."""
    parser = Parser(
        prog="plan init",
        description="Write a commented first plan, an empty configuration and a job for CI. In a repository the job "
        "stands where its system reads it, at the root. Nothing is overwritten.",
        epilog="example: plan init my-runs --template yaml",
    )
    parser.add_argument("folder", metavar="DIR", nargs="?", default=".", help="the current folder unless said")
    parser.add_argument("--template", metavar="NAME", default="training", help=f"{', '.join(PLANS)}")
    parser.add_argument("--ci", metavar="SYSTEM", default="github", help=f"{', '.join(JOBS)}; github unless said")
    parser.offers |= {"template": tuple(PLANS), "ci": tuple(JOBS)}
    args = parser.parse_args(argv)
    if args.template not in PLANS:
        raise unknown_word("template", args.template, tuple(PLANS))
    if args.ci not in JOBS:
        raise unknown_word("system of CI", args.ci, tuple(JOBS))
    folder, jobs = Path(args.folder), JOBS[args.ci]
    plan = PLANS[args.template]
    root = _repository(folder)
    install, by_hand = _installed(f".{args.ci}")
    files = {folder / plan: _template(plan), folder / CONFIGURATION: _template(CONFIGURATION)}
    if plan.endswith(".yaml"):
        files[folder / SCHEMA] = document_text(plan_schema(standard().vocabulary()))
    for name, place in jobs.items():
        files[(root or folder) / place] = _template(name).replace(INSTALL, install)
    written = [path for path, text in files.items() if _written(path, text)]
    if not written:
        there = ", ".join(plain(str(path)) for path in files)
        raise CannotRun(
            f"nothing to write: {there} are there already, and nothing is overwritten; `plan check "
            f"{plain(str(folder / plan))}` checks the plan, another DIR or --template NAME writes another"
        )
    _tell_next(
        args.ci, root, folder, {place for place in jobs.values() if (root or folder) / place in written}, by_hand
    )
    print(f"next     plan check {plain(str(folder / plan))}", file=sys.stderr)
    return CLEAN


def _tell_next(ci: str, root: Path | None, folder: Path, written: set[str], by_hand: str) -> None:
    """What is left to do for the job, where it was written."""
    if not written:
        return
    if root is None:
        print(f"note     {SYSTEMS[ci]} reads it at the root of a repository: this is to be one", file=sys.stderr)
    if list(JOBS[ci].values())[-1] in written:
        if ".gitlab-ci.yml" in JOBS[ci].values() and ".gitlab-ci.yml" not in written:
            print(f"next     add to .gitlab-ci.yml: {INCLUDED}", file=sys.stderr)
        if by_hand:
            print(f"next     {by_hand}   # in {plain(str(root or folder))}: the job installs it", file=sys.stderr)


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _written(path: Path, text: str) -> bool:
    """Whether a file was written; False where there is one.

    Raises:
        CannotRun: Where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # "x": a file that appears in between, or a link, is no more overwritten than one that was there.
        with open(path, "x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        if not path.is_symlink() and not path.exists():
            raise CannotRun(f"{error.filename} is in the way: it is no folder") from error
        print(f"exists   {plain(str(path))}, left as it is", file=sys.stderr)
        return False
    except OSError as error:
        raise CannotRun(f"{error.filename or path}: {error.strerror or 'cannot be written'}") from error
    print(f"written  {plain(str(path))}")
    return True


def _repository(folder: Path) -> Path | None:
    """The root of the repository that a folder is in, by a path from here; None where it is in none."""
    whole = folder.resolve()
    root = next((above for above in (whole, *whole.parents) if (above / ".git").exists()), None)
    return None if root is None else Path(os.path.relpath(root))


def _installed(beside: str) -> tuple[str, str]:
    """The command that installs this program elsewhere as it is here, and what has to be done by hand before it.

    Args:
        beside: The folder of a repository in which a wheel can lie.

    PEP 610 says where an installation is from, unless it is from an index.
    """
    try:
        origin = json.loads(distribution("runplan").read_text("direct_url.json") or "null")
    except PackageNotFoundError:
        origin = {"url": Path(runplan.__file__).resolve().parent.parent.as_uri()}
    if origin is None:
        return f"pip install runplan=={runplan.__version__}", ""
    url = origin["url"]
    if "vcs_info" in origin:
        return f'pip install "{origin["vcs_info"]["vcs"]}+{url}@{origin["vcs_info"]["commit_id"]}"', ""
    if not url.startswith("file:"):
        return f'pip install "{url}"', ""
    path = shlex.quote(url2pathname(urlsplit(url).path))
    wheel = f"runplan-{runplan.__version__}-py3-none-any.whl"
    return f"pip install {beside}/{wheel}", f"pip wheel --no-deps -w {beside} {plain(path)}"
