"""What turns a request into events: the Claude engine, and one that replays a recording."""
