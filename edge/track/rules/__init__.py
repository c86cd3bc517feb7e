"""What is worth an alert: one small class a file, one file for each ``when:`` of the configuration.

``terms`` is what all rules have in common, ``view`` what they are shown of a frame.
"""
