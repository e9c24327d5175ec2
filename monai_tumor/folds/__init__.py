"""One bundle trained on every fold, and what all trainings on the folds of one split share: folds, processes, folders."""
