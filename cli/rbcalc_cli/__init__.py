"""The commands: one small module each, and no arithmetic."""
