"""Generated from protos/bedplate/connector/v1; never edited."""
