"""From the CLI's messages to the events of a run."""
