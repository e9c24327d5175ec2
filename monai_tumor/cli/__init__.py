"""The command line: one file per noun, thin. Heavy imports stand inside the command functions."""
