"""A backtest: the content as data, and one module a format."""
