"""Names that ``agent-skill`` takes for itself."""

COMMANDS = ("list", "show", "new", "check", "test")
"""Its commands; anything else that it is given is the name of a skill."""
