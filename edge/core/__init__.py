"""Values, doors, geometry, errors and the clock: what every room may know."""
