"""How the simulator's address says that it is one."""

MARK = "/simulated"
"""A path below which the API answers just as at the root. Clients that know it can tell before they have asked."""


def unmarked(path: str) -> str:
    """Returns the path of a request without the mark."""
    return path.removeprefix(MARK) or "/" if path == MARK or path.startswith(MARK + "/") else path
