"""Translates the CLI's messages into the events of a run."""
