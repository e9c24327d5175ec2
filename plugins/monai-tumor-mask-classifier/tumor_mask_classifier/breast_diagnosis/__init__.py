"""The bundle ``breast_diagnosis``: configuration files only."""
