"""One question to the machine each: ``look(patient)`` answers with findings. May hang or crash: a child asks it."""
