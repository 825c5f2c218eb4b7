"""Notices of decisions: what they say, and how they are written."""
