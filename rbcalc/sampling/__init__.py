"""Made-up caseloads of the published size."""
