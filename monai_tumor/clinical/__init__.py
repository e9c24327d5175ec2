"""Clinical files in: DICOM, NIfTI, MetaImage, NRRD and pictures, with their geometry and without their patients. No torch.

Arrays are (rows, columns[, 3]) and stacks (frames, rows, columns[, 3]) everywhere.
"""
