"""Work on numbered points, in chunks, to its results in order: here, by processes, or by a cluster; knows no plan."""
