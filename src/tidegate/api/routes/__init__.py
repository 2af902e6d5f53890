"""The routes, each noun in a module."""
