"""Generated from protos/bedplate/analytic/v1; never edited."""
