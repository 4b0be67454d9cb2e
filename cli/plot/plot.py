"""A picture to a file, SVG or PNG by the end of its name; what draws it is imported when a picture is asked for."""

from __future__ import annotations

from collections.abc import Callable

from runplan.cli.outcome import CannotRun
from runplan.cli.output import terminal_columns
from runplan.cli.show.text.canvas import canvas
from runplan.cli.show.text.picture import Picture
from runplan.cli.stream import tell
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

ENDINGS = (".svg", ".png")


def add_plot(parser: ArgumentParser) -> None:
    """The option that says where a picture goes."""
    parser.add_argument(
        "--plot", metavar="FILE", help="draw it into a file, .svg or .png; needs `pip install 'runplan[plot]'`"
    )
    parser.add_argument("--preview", action="store_true", help="draw it on standard error, in characters")


def ready(path: str | None) -> None:
    """Refuse a picture that could not be drawn, before the work that it is of is done.

    Raises:
        CannotRun: Where the file has another ending, or what draws is not installed.
    """
    if path is None:
        return
    if not path.lower().endswith(ENDINGS):
        raise CannotRun(f"`--plot {path[:60]}`: a picture is an .svg or a .png")
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise CannotRun("a picture needs Matplotlib, which is an extra: `pip install 'runplan[plot]'`")


def draw(picture: Callable[[], Picture], args: Namespace) -> None:
    """Draw a picture to where the options of `add_plot` say; it is not made where none is wanted.

    Raises:
        CannotRun: See `plot`.
    """
    if args.plot:
        plot(picture(), args.plot)
    if args.preview:
        for panel in picture().panels:
            for line in ("", panel.title, *canvas(panel, terminal_columns() - 1)):
                tell(line)


def plot(picture: Picture, path: str) -> None:
    """Draw a picture into a file, the same bytes each time.

    Raises:
        CannotRun: See `ready`; and where the file cannot be written.
    """
    ready(path)
    from runplan.cli.plot.draw import drawn

    content = drawn(picture, path[-3:].lower())
    try:
        with open(path, "wb") as stream:
            stream.write(content)
    except OSError as error:
        raise CannotRun(f"{path}: {error.strerror or 'cannot be written'}") from error
