"""The gate: who, whether, and written down. Every call of the API passes it; there is no other way in."""
