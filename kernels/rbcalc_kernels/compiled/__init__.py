"""The compiled evaluator: the graph as whole numbers, as Python source, as machine code."""
