"""The bundles that come with monai-tumor: configuration files only."""
