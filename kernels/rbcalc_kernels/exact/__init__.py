"""The exact evaluator: the graph in rational numbers, with a trace."""
