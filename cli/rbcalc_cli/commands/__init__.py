"""One module for each command; each holds one function `command`, whose docstring is the help."""
