"""Which case trains, which one chooses, which one tests: decided once, by group, and kept in a file."""
