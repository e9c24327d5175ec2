"""What people read: the model card. Written from the files of a run only."""
