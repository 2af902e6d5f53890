"""From Python types to JSON Schema, and from Python objects to stored values and back."""
