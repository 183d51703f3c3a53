"""Generated from protos/bedplate/plugin/v1; never edited."""
