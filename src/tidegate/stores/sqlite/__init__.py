"""The store on SQLite: one file, written by one connection, read by several."""

from tidegate.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
