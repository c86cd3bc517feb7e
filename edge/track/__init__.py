"""Who is who over time: detections become tracks, and tracks have a beginning and an end.

``wanted`` says which detections a camera asked for, ``tracker`` follows things, ``lifecycle`` tells who comes and goes.
"""
