"""Seeded simulation of the machine."""
