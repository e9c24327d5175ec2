"""A diagnosis from an image and the mask of its lesion: network, training, evaluation, and the bundle that names them."""
