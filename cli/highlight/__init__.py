"""What plans look like in colour: the words and the terminals of the language by what they are."""
