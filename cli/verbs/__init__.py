"""One module a verb; each has `run(argv) -> exit code`."""
