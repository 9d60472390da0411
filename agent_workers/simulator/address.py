"""The path that marks an address as a simulator's."""

MARK = "/simulated"
"""A path below which the API answers as at the root. A client that knows it can tell a simulator before it asks."""


def unmarked(path: str) -> str:
    """Returns the path of a request without the mark."""
    return path.removeprefix(MARK) or "/" if path == MARK or path.startswith(MARK + "/") else path
