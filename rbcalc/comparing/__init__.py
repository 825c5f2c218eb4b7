"""Sets of rules tried on one caseload, and what each comes to beside the baseline, fit to be published."""
