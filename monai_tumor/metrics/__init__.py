"""Per-case measures and their summaries: counts first, then scores, and never a mean without its n and interval."""
