"""The configuration file: YAML to typed, checked values."""
