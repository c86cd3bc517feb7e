"""The main job, shown: photographs under a moving view, a broker, the detector, a subscriber, a picture with boxes."""
