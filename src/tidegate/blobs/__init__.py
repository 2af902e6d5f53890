"""Blobs: contents of any size, each known by its SHA-256 digest; and the files and directories that are kept as blobs."""
