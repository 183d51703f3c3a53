"""History of all tags in Parquet, queried by DuckDB, for Bedplate."""
