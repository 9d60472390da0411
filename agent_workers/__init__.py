"""Command-line workers that let any application run Claude agents: JSON in, versioned events out."""

__all__ = ["__version__"]

__version__ = "0.1.0"
# The command lines look for it: "agent-workers" on PyPI is somebody else's, with a package of the same name.
DISTRIBUTION = "claude-agent-workers"
