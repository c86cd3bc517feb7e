"""Trains a small int8 detector on any COCO-format set of pictures; a tool of its own, no part of the device."""
