"""A site for several tests, in a directory of its own that the web server's user can enter."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.laravel.site import REPOSITORY, Site

AnySite = TypeVar("AnySite", bound=Site)


@contextmanager
def started(make: Callable[[Path, str], AnySite], base_url: str, name: str) -> Iterator[AnySite]:
    """Starts a site and stops it.

    Args:
        make: Makes it of its directory and the API's address.
        base_url: The API's address.
        name: What its directory is called.
    """
    subprocess.run([REPOSITORY / "examples/laravel/setup.sh"], check=True, timeout=300)
    # Not pytest's own directory, which nobody but its owner may enter.
    root = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    root.chmod(0o755)
    site = make(root, base_url)
    try:
        site.start()
        yield site
    finally:
        site.stop()
        shutil.rmtree(root)
