"""One account in words: the working of its figures, why nothing is due, and why a figure changed."""
