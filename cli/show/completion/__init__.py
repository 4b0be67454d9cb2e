"""The verbs and their options into a script by which a shell completes them."""
