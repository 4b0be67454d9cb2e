"""One module an output format; each turns findings or a report into text."""
