"""Which MCP servers a task may bring."""

from typing import Any

import pytest
from pydantic import ValidationError

from agent_workers.policy import DEFAULT, Policy
from tests.policy.asking import denied, for_tasks, task, tool

CRM = "/opt/mcp/crm"
HOST = "must be at one of the hosts that the policy lists in task.mcp_hosts"
ASK = "is not allowed: the operator must list it in {} of the policy that AGENT_WORKERS_POLICY names"


def started(given: Policy, command: str, **fields: Any) -> dict[str, str]:
    return denied(given, task(mcp_servers={"crm": {"command": command, **fields}}))


def reached(hosts: list[str], url: str) -> bool:
    found = denied(for_tasks(mcp_hosts=hosts), task(mcp_servers={"crm": {"type": "http", "url": url}}))
    assert found in ({}, {"/mcp_servers/crm/url": HOST})
    return not found


def test_without_the_operators_word_there_are_no_servers_and_it_is_said_how_to_give_it() -> None:
    servers = {"a": {"command": "/bin/true"}, "b": {"type": "http", "url": "https://example.com"}}
    for given in (DEFAULT, for_tasks()):
        assert denied(given, task(mcp_servers=servers)) == {
            "/mcp_servers/a/command": ASK.format("task.mcp_commands"),
            "/mcp_servers/b/url": ASK.format("task.mcp_hosts"),
        }


def test_programs_and_hosts_are_allowed_apart() -> None:
    servers = {"a": {"command": CRM}, "b": {"type": "http", "url": "https://example.com"}}
    assert set(denied(for_tasks(mcp_commands=[CRM]), task(mcp_servers=servers))) == {"/mcp_servers/b/url"}
    assert set(denied(for_tasks(mcp_hosts=["example.com"]), task(mcp_servers=servers))) == {"/mcp_servers/a/command"}


# Programs


@pytest.mark.parametrize(
    "command", ["crm", "./crm", "/opt/mcp/../mcp/crm", "/opt//mcp/crm", f"{CRM} ", f"{CRM}\n", "/bin/sh"]
)
def test_a_program_is_spelled_as_in_the_policy(command: str) -> None:
    assert started(for_tasks(mcp_commands=[CRM]), CRM) == {}
    assert set(started(for_tasks(mcp_commands=[CRM]), command)) == {"/mcp_servers/crm/command"}


def test_the_programs_of_the_host_are_not_told() -> None:
    [message] = started(for_tasks(mcp_commands=[CRM]), "/bin/sh").values()
    [about_args] = started(for_tasks(mcp_commands=[CRM]), CRM, args=["x"]).values()
    assert CRM not in message + about_args


def test_a_program_without_arguments_gets_none() -> None:
    given = for_tasks(mcp_commands=["/usr/bin/node"])
    assert started(given, "/usr/bin/node") == {}
    assert set(started(given, "/usr/bin/node", args=["-e", "evil()"])) == {"/mcp_servers/crm/args"}


def test_fixed_arguments_are_all_and_in_order() -> None:
    given = for_tasks(mcp_commands=[{"command": "/usr/bin/node", "args": ["/opt/erp.js", "--stdio"]}])
    assert started(given, "/usr/bin/node", args=["/opt/erp.js", "--stdio"]) == {}
    for args in ([], ["/opt/erp.js"], ["--stdio", "/opt/erp.js"], ["/opt/erp.js", "--stdio", "-e"], ["-e", "x"]):
        assert set(started(given, "/usr/bin/node", args=args)) == {"/mcp_servers/crm/args"}


def test_more_arguments_come_after_the_fixed_ones() -> None:
    given = for_tasks(mcp_commands=[{"command": CRM, "args": ["serve"], "more_args": True}])
    assert started(given, CRM, args=["serve", "--tenant", "7"]) == {}
    for args in ([], ["--tenant", "serve"]):
        assert set(started(given, CRM, args=args)) == {"/mcp_servers/crm/args"}


@pytest.mark.parametrize(
    "name", ["LD_PRELOAD", "NODE_OPTIONS", "PATH", "PYTHONSTARTUP", "tenant", "TENANT_", "_TENANT"]
)
def test_only_named_variables_may_be_set(name: str) -> None:
    given = for_tasks(mcp_commands=[{"command": CRM, "env": ["TENANT"]}])
    assert started(given, CRM, env={"TENANT": "7"}) == {}
    assert list(started(given, CRM, env={"TENANT": "7", name: "x"})) == [f"/mcp_servers/crm/env/{name}"]
    assert list(started(for_tasks(mcp_commands=[CRM]), CRM, env={name: "x"})) == [f"/mcp_servers/crm/env/{name}"]


def test_what_one_entry_allows_does_not_mix_with_another() -> None:
    loose = {"command": CRM, "args": ["a"], "env": ["A"]}
    tight = {"command": CRM, "args": ["b"], "env": ["B"]}
    given = for_tasks(mcp_commands=[loose, tight, {"command": CRM, "args": ["b"], "env": ["C"]}])
    assert started(given, CRM, args=["b"], env={"B": "1"}) == started(given, CRM, args=["b"], env={"C": "1"}) == {}
    assert set(started(given, CRM, args=["b"], env={"A": "1"})) == {"/mcp_servers/crm/env/A"}
    assert len(started(given, CRM, args=["b"], env={"B": "1", "C": "1"})) == 1


@pytest.mark.parametrize(
    "entry",
    [
        *("crm", "", 5, [], ["/usr/bin/node", "x"], {}, {"command": "node"}, {"command": CRM, "arg": []}),
        *({"command": CRM, "args": "x"}, {"command": CRM, "env": ["LD_*"]}, {"command": CRM, "more_args": 1}),
    ],
)
def test_a_program_in_the_policy_is_absolute_and_well_formed(entry: Any) -> None:
    with pytest.raises(ValidationError):
        for_tasks(mcp_commands=[entry])


# Hosts


@pytest.mark.parametrize(
    "url",
    [
        *("https://mcp.example.com", "https://mcp.example.com/", "https://MCP.Example.COM/mcp?x=1#y"),
        "https://mcp.example.com:443/",
        *("https://mcp.example.com:0443/", "https://mcp.example.com/@evil.test/", "https://mcp.example.com?@evil.test"),
    ],
)
def test_an_address_at_the_host_is_allowed(url: str) -> None:
    assert reached(["MCP.example.com"], url)


def test_an_address_that_is_elsewhere_or_could_be_read_so_is_refused() -> None:
    urls = [
        *("https://evil.test/", "https://evil.test/mcp.example.com", "https://evil.test/?mcp.example.com"),
        *("https://mcp.example.com@evil.test/", "https://x:y@mcp.example.com/", "https://evil.test@mcp.example.com/"),
        *("https://mcp.example.com.evil.test/", "https://evilmcp.example.com/", "https://x.mcp.example.com/"),
        *("https://mcp.example.com./", "https://mcp.example.com../", "https://.mcp.example.com/"),
        *("http://mcp.example.com/", "http://mcp.example.com:80"),
        *("https://mcp.example.com:444/", "http://mcp.example.com:443/", "https://mcp.example.com:80/"),
        *("https://mcp.example.com:/", "https://mcp.example.com:x/", "https://mcp.example.com:443:80/"),
        *(
            "https://mcp.example.com:+443/",
            "https://mcp.example.com:000443/",
            "https://mcp.example.com:\u0664\u0664\u0663/",
        ),
        *(
            "https://evil.test\\@mcp.example.com/",
            "https://mcp.example.com\\@evil.test/",
            "https://mcp.example.com\\evil",
        ),
        *("https://evil.test#@mcp.example.com/", "https://evil.test?@mcp.example.com/", "https:///mcp.example.com/"),
        *(
            "https://mcp%2eexample.com/",
            "https://mcp.example.com%00.evil.test/",
            "https://mcp.example.com%40evil.test/",
        ),
        *("https://mcp\u3002example.com/", "https://mcp.example.\u212aom/", "https://mcp.example.\uff43om/"),
        *("https://mcp.e\u00adxample.com/", "https://[mcp.example.com]/", "https://mcp.example.com]/", "https://@/"),
    ]
    assert [url for url in urls if reached(["mcp.example.com"], url)] == []


def test_no_header_leads_to_another_host_behind_the_same_address() -> None:
    given = for_tasks(mcp_hosts=["mcp.example.com"])
    server = {"type": "http", "url": "https://mcp.example.com/"}
    odd = {"Host": "other.example.com", "content-length": "5", "Transfer-Encoding": "chunked"}
    for place, ask in (("/mcp_servers/crm", _in_task), ("/server", _for_a_person)):
        assert denied(given, ask({**server, "headers": {"Authorization": "Bearer x"}})) == {}
        assert set(denied(given, ask({**server, "headers": odd}))) == {f"{place}/headers/{name}" for name in odd}


def _in_task(server: dict[str, Any]) -> Any:
    return task(mcp_servers={"crm": server})


def _for_a_person(server: dict[str, Any]) -> Any:
    return tool(server={"name": "crm", **server})


def test_the_kelvin_sign_is_no_k() -> None:
    assert reached(["kiosk.test"], "https://KIOSK.test/")
    assert not reached(["kiosk.test"], "https://\u212aios\u212a.test/")
    assert not reached(["kiosk.test"], "https://kio\u017fk.test/")


def test_a_wildcard_is_any_name_below_and_not_the_domain_itself() -> None:
    for url in ("https://a.example.com/", "https://a.b.EXAMPLE.com"):
        assert reached(["*.Example.com"], url)
    for url in (
        "https://example.com/",
        "https://.example.com/",
        "https://aexample.com/",
        "https://a.example.com.evil.test/",
    ):
        assert not reached(["*.example.com"], url)
    assert not reached(["*.example.com"], "https://evil.test/.example.com")


def test_a_port_in_the_policy_is_the_only_one() -> None:
    assert reached(["mcp.test:8443"], "https://mcp.test:8443/")
    assert not reached(["mcp.test:80"], "http://mcp.test/")
    for url in ("https://mcp.test/", "https://mcp.test:443/", "https://mcp.test:18443/", "https://mcp.test:84430/"):
        assert not reached(["mcp.test:8443"], url)


def test_plain_http_is_named_as_such_or_stays_on_the_host() -> None:
    assert reached(["http://mcp.test"], "http://mcp.test/")
    assert reached(["HTTP://*.mcp.test:8080"], "http://a.mcp.test:8080/")
    for url in ("https://mcp.test/", "https://mcp.test:80/", "http://mcp.test:8080/", "http://a.mcp.test/"):
        assert not reached(["http://mcp.test"], url)
    for host in ("127.0.0.1", "[::1]", "localhost"):
        assert reached([host], f"http://{host}/")
        assert reached([host], f"https://{host}/")
    for host in ("127.0.0.1.test", "localhost.test", "[::2]"):
        assert not reached([host], f"http://{host}/")


def test_an_ipv6_address_may_be_spelled_in_every_way() -> None:
    for url in ("http://[::1]:8080/", "http://[0:0:0:0:0:0:0:1]:8080", "http://[0000::0001]:8080/mcp"):
        assert reached(["[::1]:8080"], url)
    for url in ("http://[::1]/", "http://[::2]:8080/", "http://[::ffff:0:1]:8080/", "http://[::1%25eth0]:8080/"):
        assert not reached(["[::1]:8080"], url)
    assert reached(["[2001:DB8::A]"], "https://[2001:db8:0::a]/")
    for url in ("http://[::g]/", "http://[1]/", "http://[::1/", "http://::1/", "http://[]/"):
        assert not reached(["[::1]"], url)


@pytest.mark.parametrize("url", ["http://127.1/", "http://2130706433/", "http://0x7f.0.0.1/", "http://0177.0.0.1/"])
def test_an_ipv4_address_has_one_spelling(url: str) -> None:
    assert reached(["127.0.0.1"], "http://127.0.0.1/")
    assert not reached(["127.0.0.1"], url)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "",
            "*",
            "*.",
            "*.*.com",
            "a*.example.com",
            "example.com.",
            "https://example.com",
            "example.com/mcp",
            "u@h",
            "a b",
        ),
        *(
            "example.com:",
            "example.com:x",
            "example.com:123456",
            "::1",
            "[::g]",
            "*.[::1]",
            "ex\u00e4mple.com",
            "\u212a.test",
        ),
    ],
)
def test_a_host_in_the_policy_is_a_name_or_an_address(host: str) -> None:
    with pytest.raises(ValidationError):
        for_tasks(mcp_hosts=[host])


@pytest.mark.parametrize("domain", ["*", "example.com:443", "https://example.com", "[::1]", "", "a b"])
def test_a_domain_of_the_sandbox_is_a_name(domain: str) -> None:
    assert Policy.model_validate({"version": 1, "sandbox": {"allowed_domains": ["*.example.com", "example.org"]}})
    with pytest.raises(ValidationError):
        Policy.model_validate({"version": 1, "sandbox": {"allowed_domains": [domain]}})


def test_a_long_address_takes_no_long_time() -> None:
    assert not reached(["example.com"], f"https://{'a-' * 100_000}@")
    assert not reached(["example.com"], f"https://{'a.' * 100_000}@")
