"""Rows of large values: sorted, filtered, searched and profiled in processes of their own, by DuckDB, on a converted copy that is kept."""
