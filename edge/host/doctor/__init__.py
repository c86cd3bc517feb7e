"""Looks at this machine: one file per probe, each asked in a process of its own, with a deadline."""
