"""Generated from protos/bedplate/api by `make protos`; never edited."""
