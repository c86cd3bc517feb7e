"""How well a camera sees: from the numbers of its frames to a condition with a reason code."""
