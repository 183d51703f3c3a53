"""Generated from protos/bedplate/security/v1; never edited."""
