"""Generated from protos/; see protos/README.md."""
