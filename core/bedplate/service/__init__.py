"""Bedplate as a service of systemd: what its unit says, what must be there for it, what systemd is told."""
