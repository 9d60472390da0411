"""By which proxy a call goes, as the host's variables say."""

import pytest

from agent_workers.engine.messages.route import route_of

PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, "https://api.example", None),
        ({"HTTPS_PROXY": PROXY}, "https://api.example", PROXY),
        ({"HTTPS_PROXY": "proxy:3128"}, "https://api.example", PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, "https://api.example", PROXY),
        ({"https_proxy": "", "HTTPS_PROXY": "http://other"}, "https://api.example", None),
        ({"HTTP_PROXY": PROXY}, "https://api.example", None),
        ({"HTTP_PROXY": PROXY}, "http://api.example", PROXY),
        ({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, "http://api.example", None),
        ({"http_proxy": PROXY, "REQUEST_METHOD": "GET"}, "http://api.example", PROXY),
        ({"ALL_PROXY": PROXY}, "https://api.example", PROXY),
        ({"ALL_PROXY": PROXY, "HTTPS_PROXY": "http://own"}, "https://api.example", "http://own"),
    ],
)
def test_the_variable_of_the_scheme_counts_before_that_of_all(
    environ: dict[str, str], url: str, proxy: str | None
) -> None:
    assert route_of(environ, url).proxy == proxy


@pytest.mark.parametrize(
    ("no_proxy", "url", "passes_by"),
    [
        ("*", "https://api.example", True),
        ("", "https://api.example", False),
        (" , ", "https://api.example", False),
        ("other.example, API.example", "https://api.example", True),
        ("example", "https://api.example", True),
        (".example", "https://api.example", True),
        ("*.example", "https://api.example", True),
        ("pi.example", "https://api.example", False),
        ("api.example:443", "https://api.example", True),
        ("api.example:8443", "https://api.example", False),
        ("localhost", "http://localhost:8080", True),
        ("127.0.0.1", "http://127.0.0.1:8080", True),
        ("127.0.0.0/8", "http://127.0.0.1:8080", True),
        ("10.0.0.0/8", "http://127.0.0.1", False),
        ("::1", "http://[::1]:8080", True),
        ("[::1]", "http://[::1]", True),
        ("fd00::/8", "http://[fd12::1]", True),
        ("no host at all", "https://api.example", False),
    ],
)
def test_no_proxy_names_hosts_domains_and_networks(no_proxy: str, url: str, *, passes_by: bool) -> None:
    found = route_of({"ALL_PROXY": PROXY, "NO_PROXY": no_proxy}, url)
    assert found.proxy == (None if passes_by else PROXY)
