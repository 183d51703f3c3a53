"""Generated from protos/bedplate/plugin by `make protos`; never edited."""
