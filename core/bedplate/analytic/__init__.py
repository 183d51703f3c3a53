"""Generated from protos/bedplate/analytic by `make protos`; never edited."""
