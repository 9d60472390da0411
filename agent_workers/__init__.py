"""Command-line workers that let any application run Claude agents: JSON in, versioned events out."""

__all__ = ["__version__"]

__version__ = "0.1.0"
