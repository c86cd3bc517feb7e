"""Events to messages: topics, payloads, and the ways out."""
