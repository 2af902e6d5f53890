"""Doors: how requests from other processes come in."""
