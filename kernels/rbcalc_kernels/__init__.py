"""Compile rules written in strict YAML into calculation kernels."""
