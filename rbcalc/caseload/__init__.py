"""The caseload floor: tables of any system in, encoded columns and reasons out."""
