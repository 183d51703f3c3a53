"""Overall equipment effectiveness after ISO 22400 for Bedplate."""
