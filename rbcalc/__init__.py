"""rbcalc computes council bills and awards from YAML rules over a whole caseload."""
