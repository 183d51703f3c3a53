"""Versions of the platform side by side, made from one offline bundle; one is used, the one before it stays."""
