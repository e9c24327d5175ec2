"""Clinical files in and out: DICOM, NIfTI, MetaImage, NRRD and pictures, with their geometry. No torch.

Arrays are (rows, columns[, 3]) and stacks (frames, rows, columns[, 3]) everywhere.
"""
