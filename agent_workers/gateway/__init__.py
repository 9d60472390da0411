"""A door for browsers: starts runs for whoever brings a token, and streams them; ``docs/gateway.md``."""
