"""A caseload through the rules of its councils: bills, totals, the tax base, statements, and the folder that they go to."""
