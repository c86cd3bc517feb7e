"""Units, users, device rules and the example configuration: put in place, and taken away again."""
