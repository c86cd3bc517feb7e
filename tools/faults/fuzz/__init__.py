"""Inputs nobody would send, by the million: one small file for each thing that reads what others wrote."""
