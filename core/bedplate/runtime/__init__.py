"""Runs the deployment: lifecycle, supervision, placement, readers."""
