"""What a person at a terminal is told of a mistake, where stdout goes to ``jq``: the place, and the cure."""

import pytest

from tests.cli.conftest import Scripts

pytestmark = pytest.mark.usefixtures("loaded")


@pytest.mark.parametrize(
    ("request_line", "told"),
    [
        ('{"promt": "Hello"}', "/prompt: is required; /promt: is not a known field; did you mean prompt?"),
        ('{"prompt": "a", "limits": {"timeout": 5}}', "/limits/timeout: is not a known field"),
        ("Hello", "request: not valid JSON at line 1, column 1"),
        ("", "request: the input is empty"),
        ('{"prompt": "a", "v": "1"}', "/v: must be 1, not a string"),
        ('{"prompt": "a", "v": 2}', "/v: must be 1: this worker speaks no other version of the contract"),
    ],
)
def test_stderr_names_what_is_wrong_with_a_request(request_line: str, told: str, scripts: Scripts) -> None:
    refused = scripts("agent-chat", given=request_line)
    assert refused.returncode == 2
    assert told in refused.stderr
    assert refused.stderr.startswith("agent-chat: ")


@pytest.mark.usefixtures("installed")
def test_names_in_a_request_do_not_reach_the_terminal_as_they_are(scripts: Scripts) -> None:
    refused = scripts("agent-chat", given='{"prompt": "a", "\\u001b[31mred\\nline\\u202e": 1}')
    assert refused.stderr.count("\n") == 1
    assert "/\\x1b[31mred\\nline\\u202e: is not a known field" in refused.stderr


def test_many_and_long_names_make_a_short_line(scripts: Scripts) -> None:
    names = ", ".join(f'"{number}{"x" * 50_000}": 1' for number in range(20))
    refused = scripts("agent-chat", given=f'{{"prompt": "a", {names}}}')
    assert len(refused.stderr) < 2000


@pytest.mark.parametrize(
    ("schema", "place", "cure"),
    [
        ('{"type": "objct"}', "/output_schema/type", "must be one of array, boolean, integer, null"),
        ('{"type": "object", "required": "a"}', "/output_schema/required", "must be of the type array"),
        (
            '{"type": "object", "properties": {"a": {"minLength": "x"}}}',
            "/output_schema/properties/a/minLength",
            "must be of the type integer",
        ),
    ],
)
def test_a_schema_that_is_none_is_told_with_what_belongs_there(
    schema: str, place: str, cure: str, scripts: Scripts
) -> None:
    refused = scripts("agent-chat", given=f'{{"prompt": "a", "output_schema": {schema}}}')
    assert f"{place}: is not valid JSON Schema: {cure}" in refused.stderr


@pytest.mark.parametrize("program", ["agent-chat", "agent-task"])
def test_a_prompt_on_the_command_line_is_told_where_it_belongs(program: str, scripts: Scripts) -> None:
    refused = scripts(program, "Hello", "world")
    assert refused.returncode == 2
    assert f"{program} takes no arguments: its request comes on stdin. Try {program} --help." in refused.stderr


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--prety", "No such option '--prety'. Did you mean '--pretty'? Try agent-chat --help."),
        ("--nope", "No such option '--nope'. Try agent-chat --help."),
    ],
)
def test_an_option_that_a_program_does_not_have_is_told_with_what_is_meant(
    option: str, told: str, scripts: Scripts
) -> None:
    refused = scripts("agent-chat", option, given='{"prompt": "a"}')
    assert refused.returncode == 2
    assert f"agent-chat: invalid_request: {told}" in refused.stderr


def test_a_program_that_a_variable_names_and_that_is_none_is_told_with_the_variable(scripts: Scripts) -> None:
    ended = scripts("agent-chat", given='{"prompt": "a"}', env={"AGENT_WORKERS_CLI": "/nope/claude"})
    assert "cli_missing: /nope/claude is not an executable file (by AGENT_WORKERS_CLI)" in ended.stderr


@pytest.mark.parametrize("program", ["agent-chat", "agent-task", "agent-workers"])
def test_help_has_a_short_name(program: str, scripts: Scripts) -> None:
    assert scripts(program, "-h").stdout == scripts(program, "--help").stdout


@pytest.mark.parametrize("program", ["agent-chat", "agent-task"])
def test_help_breaks_no_program_name_at_the_end_of_a_line(program: str, scripts: Scripts) -> None:
    shown = scripts(program, "--help").stdout
    assert "agent-workers doctor" in shown
    assert [line for line in shown.splitlines() if line.endswith("-")] == []


def test_a_level_of_the_log_that_does_not_exist_is_told(scripts: Scripts) -> None:
    ended = scripts("agent-chat", "--simulate", given='{"prompt": "a"}', env={"AGENT_WORKERS_LOG": "verbose"})
    assert ended.returncode == 0
    assert "AGENT_WORKERS_LOG is 'verbose': must be error, warning, info or debug" in ended.stderr


def test_a_host_without_a_credential_is_told_so(scripts: Scripts) -> None:
    ended = scripts("agent-chat", given='{"prompt": "a"}')
    assert "agent-chat: auth: no credential is set and there is no login: see agent-workers doctor" in ended.stderr
    assert "There is no credential for the model's API on this host." in ended.stdout


def test_a_state_directory_that_is_a_file_is_told_so(scripts: Scripts) -> None:
    (scripts.home / "file").touch()
    place = str(scripts.home / "file")
    ended = scripts("agent-chat", given='{"prompt": "a"}', env={"AGENT_WORKERS_STATE_DIR": place})
    assert f"state_unavailable: {place}: is not a directory" in ended.stderr


def test_a_session_that_is_sought_in_another_state_directory_is_told_with_that_directory(scripts: Scripts) -> None:
    place = str(scripts.home / "other")
    request = '{"prompt": "a", "session": {"resume": "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34"}}'
    ended = scripts("agent-chat", given=request, env={"AGENT_WORKERS_STATE_DIR": place})
    assert f"no run has begun this session in the state directory {place}" in ended.stderr
