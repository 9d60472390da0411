"""The plain Messages API, for what needs no agent."""
