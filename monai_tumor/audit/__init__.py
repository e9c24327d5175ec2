"""What a data set hides: every case looked at once, and what would make results wrong. No torch."""
