"""Files of runs, of whatever makes them, into a table of runs and what is wrong with them."""
