"""A report, of any kind, to its document: plain data with a schema version, a module a kind."""
