"""The background process around the engine."""
