"""Generated from protos/bedplate/connector by `make protos`; never edited."""
