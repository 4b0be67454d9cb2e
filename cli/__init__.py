"""What people and machines touch: verbs, output formats, exit codes."""
