"""What comes before the CLI's start: its command line, environment and files, and the session that it writes."""
