"""What people read of the evaluation of a classifier: one HTML file, made from the files of a run only."""
