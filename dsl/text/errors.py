"""What is raised, by one base. What is wrong with a plan or a pack is a finding and never raised.

RunplanError
  BadConfig         a project's configuration cannot be used
  UnknownLaw        a law is asked for by a name that none has
  UnknownCode       findings are selected or ignored by a word that no finding has
  NoRevision        a commit is asked for that git does not have
  NoWorker          work is handed out, and nobody is there to do it
  NotThere          a report or a solution is asked for what it does not have
  Refused           a law cannot be evaluated at what it is given            (engine.laws.evaluate)
  UnknownUnit       a text is no unit                                        (dsl.units.table)
  NoSpelling        a plan says what the other spelling has no words for    (dsl.syntax.as_yaml)
  DimensionClash    two sides of an expression have different dimensions     (dsl.expr.dimensions)
  NoFrontier        a plan is asked for the frontier of what has none       (engine.frontier.frontier)
  NoLadder          no small runs can be designed for a plan                 (engine.ladder.refused)
  NoParquet         a Parquet file of runs cannot be read                    (engine.fit.parquet)
  NotCells          a text is not in cells                                   (engine.fit.read.delimited)
  BadCondition      a condition on runs cannot be read, or asks what they do not have  (engine.fit.kept)
  CannotTrack       a plan tells nothing that a run could be held to         (engine.track.expected)
  NoProgress        a log does not tell how far a run is                     (engine.track.order)
  Unreadable        no plan can be made of a configuration                   (cli.importing.keys)
  CannotSweep       something of a plan cannot be varied, or asked            (engine.sweep.axes)
  CannotRun         a command cannot be run                                  (cli.outcome)
    NotFound        a path of the command line is not there                  (cli.paths)
  BrokenInvariant   a solution contradicts itself: a bug in runplan          (engine.solve.verify)

A file that is not there raises Python's own `OSError`.
"""

from __future__ import annotations


class RunplanError(Exception):
    """The base of all that runplan raises; catch it to catch every refusal."""


class BadConfig(RunplanError):
    """Raised where a project is opened whose configuration cannot be read or used; it says which file and why."""


class UnknownLaw(RunplanError):
    """Raised where a plan is to be solved under a law by a name that none has; it says the nearest one."""


class UnknownCode(RunplanError):
    """Raised where findings are asked for by a code, name or prefix that none has; it says the nearest one."""


class NoRevision(RunplanError):
    """Raised where a project is asked for as of a commit that is not there; it says how to get it."""


class NoWorker(RunplanError):
    """Raised where nobody is there to do the work, or who was there cannot go on; it says why and what helps."""


class NotThere(RunplanError, KeyError):
    """Raised by `report["LAW"]` and `solution["QUANTITY"]` for what is not there; it says what is."""

    def __str__(self) -> str:  # that of a KeyError puts quotes around the message
        return str(self.args[0])
