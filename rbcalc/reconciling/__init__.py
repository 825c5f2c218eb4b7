"""Our figures held against those of the live system, and why they differ."""
