"""From documents to one checked, typed graph for a council and a year."""
