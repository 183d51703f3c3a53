"""Generated from protos/bedplate/record/v1; never edited."""
