"""Adapters of the `Executor` port."""
