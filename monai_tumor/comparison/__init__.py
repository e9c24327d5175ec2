"""Several networks and recipes on the same folds: what to run, running it, figures, table and picture."""
