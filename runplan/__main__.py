"""`python -m runplan`: the same as the command `plan`."""

from runplan.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
