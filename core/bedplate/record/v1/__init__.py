"""Generated from protos/bedplate/record by `make protos`; never edited."""
