"""The reference consumer of what edge publishes."""
