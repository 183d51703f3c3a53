"""History of all tags in Parquet, queried by DuckDB, for Bedplate."""

from bedplate_history.history import History

__all__ = ["History"]
