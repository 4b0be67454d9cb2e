"""What an editor asks of a text, and the language server that answers."""
