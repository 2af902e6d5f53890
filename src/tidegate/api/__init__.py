"""Doors: how requests come in from other processes."""
