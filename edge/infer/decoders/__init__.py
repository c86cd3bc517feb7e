"""One file per model family: how its output tensors are read. Chosen in `edge.infer.decoding`."""
