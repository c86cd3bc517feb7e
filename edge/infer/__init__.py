"""Frame to detections: preprocessing, the interpreter, one decoder per model family."""
