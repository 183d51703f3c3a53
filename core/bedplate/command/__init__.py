"""The write guard: whether a command may be sent, once, and what became of it."""
