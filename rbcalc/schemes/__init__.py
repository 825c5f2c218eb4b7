"""What a council's scheme says: its figures with their sources, the sheet to sign, and the booklet."""
