"""The ways to a running Tidegate: over HTTP for programs, and through the local socket for commands."""
