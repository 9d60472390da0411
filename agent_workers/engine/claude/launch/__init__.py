"""Prepares and starts the CLI: its command line, environment and files, and the session that it writes."""
