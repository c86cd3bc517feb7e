"""Configuration to objects: the only place that names concrete classes."""
