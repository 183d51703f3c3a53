"""Everything of an installation in one encrypted file, taken while it runs; and back again. Knows no plugin."""
