"""The store on Postgres."""

from tidegate.stores.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
