"""Pictures to files of vectors and of dots, by Matplotlib, an extra."""
