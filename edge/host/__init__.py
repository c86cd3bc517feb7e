"""The machine around the service: looked at (``doctor``), and given what the service needs (``install``)."""
