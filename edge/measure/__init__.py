"""Figures about quality and speed, made through the product's own path."""
