"""The running program: the pipeline, its workers and its health."""
