"""Generated from protos/bedplate/api/v1; never edited."""
