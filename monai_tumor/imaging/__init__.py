"""Pixels in and out: readers, writers, the one prepare and its inverse, pictures. numpy, Pillow and OpenCV; no torch.

Arrays are (rows, columns) or (rows, columns, channels) everywhere.
"""
