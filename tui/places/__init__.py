"""Storage backends, each behind the small async protocols of `base`."""
