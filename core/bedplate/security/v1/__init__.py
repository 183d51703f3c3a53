"""Generated from protos/bedplate/security by `make protos`; never edited."""
