"""The rules of a folder: subjects, councils and years, single figures set otherwise, and the worked cases, through both evaluators."""
