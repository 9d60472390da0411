"""Many requests, some at a time: what ``agent-batch`` does. Runs are made by a ``Runner`` alone."""
