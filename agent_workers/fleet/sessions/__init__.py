"""Conversations of a fleet: stored beside its jobs, so that one begun on a machine goes on on any other."""
