"""What a request may say."""

import json

import pytest

from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.request import (
    MAX_METADATA_BYTES,
    Limits,
    NewSession,
    Request,
    RequestProblems,
    ResumeSession,
    Stream,
    parse_request,
)

UUID = "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34"
TOOL = {"name": "find_order", "description": "Finds an order.", "input_schema": {"type": "object"}}


def asking(**fields):
    return parse_request({"prompt": "Hello", **fields})


def pointers(document):
    with pytest.raises(RequestProblems) as refused:
        parse_request(document)
    return [problem.pointer for problem in refused.value.problems]


def refused(**fields):
    return pointers({"prompt": "Hello", **fields})


def test_a_prompt_is_enough_and_the_rest_has_the_contracts_defaults():
    request = asking()
    assert request == Request(
        v=1,
        prompt="Hello",
        thinking=False,
        limits=Limits(timeout_s=300, idle_timeout_s=120),
        stream=Stream(partial=True, ping_s=10),
    )
    absent = ("run", "system_prompt", "model", "fallback_model", "max_turns", "session", "output_schema")
    assert all(getattr(request, name) is None for name in (*absent, "metadata", "app_tools"))
    assert request.limits.max_budget_usd is None


def test_part_of_the_limits_leaves_the_others_at_their_defaults():
    assert asking(limits={"timeout_s": 5}).limits == Limits(timeout_s=5, idle_timeout_s=120)


def test_every_example_is_valid_for_schema_and_model(root, validate):
    documents = [parse_json(file.read_bytes()) for file in (root / "examples/requests").glob("*.json")]
    of_chats = [document for document in documents if [*document] != ["input"]]
    assert len(of_chats) >= 7
    for document in of_chats:
        validate("request", document)
        assert parse_request(document).prompt


def test_hello_is_one_line_and_its_pretty_twin_is_many(root):
    assert (root / "examples/requests/hello.json").read_text() == '{"prompt":"Hello"}\n'
    assert len((root / "examples/requests/hello-pretty.json").read_text().splitlines()) > 5


def test_a_request_cannot_be_changed_once_read():
    request = asking()
    with pytest.raises(ValueError, match="frozen"):
        request.prompt = "Goodbye"


def test_a_worker_can_take_more_fields_by_subclassing():
    class TaskRequest(Request):
        cwd: str

    request = parse_request({"prompt": "Hello", "cwd": "/srv", "max_turns": 2}, TaskRequest)
    assert (request.cwd, request.max_turns) == ("/srv", 2)
    with pytest.raises(RequestProblems) as refused:
        parse_request({"prompt": "Hello", "cwds": "/srv"}, TaskRequest)
    assert [problem.did_you_mean for problem in refused.value.problems] == [None, "cwd"]


class TestPrompt:
    @pytest.mark.parametrize(
        "block",
        [
            {"type": "text", "text": "Hello"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
            {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "AA=="},
            },
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Hello"}},
            {
                "type": "document",
                "source": {"type": "url", "url": "http://example.com/a.pdf"},
                "title": "A",
                "context": "B",
            },
        ],
    )
    def test_takes_each_kind_of_block(self, block):
        assert asking(prompt=[block]).prompt[0].type == block["type"]

    @pytest.mark.parametrize("prompt", ["", [], None, 5, True, {}, {"type": "text", "text": "Hello"}])
    def test_refuses_what_is_neither_text_nor_blocks_with_one_problem(self, prompt):
        assert refused(prompt=prompt) == ["/prompt"]

    @pytest.mark.parametrize(
        ("block", "place"),
        [
            ("Hello", ""),
            (None, ""),
            ([], ""),
            ({}, "/type"),
            ({"type": "video"}, "/type"),
            ({"type": 5}, "/type"),
            ({"type": ["text"]}, "/type"),
            ({"type": "text"}, "/text"),
            ({"type": "text", "text": ""}, "/text"),
            ({"type": "text", "text": None}, "/text"),
            ({"type": "text", "text": "a", "cache_control": {}}, "/cache_control"),
            ({"type": "image"}, "/source"),
            ({"type": "image", "source": "a.png"}, "/source"),
            ({"type": "image", "source": {"data": "AAAA"}}, "/source/type"),
            ({"type": "image", "source": {"type": "url", "url": "file:///a"}}, "/source/url"),
            ({"type": "image", "source": {"type": "url", "url": "https://a b"}}, "/source/url"),
        ],
    )
    def test_names_the_faulty_place_in_a_block(self, block, place):
        assert refused(prompt=[{"type": "text", "text": "Hello"}, block]) == [f"/prompt/1{place}"]

    @pytest.mark.parametrize("data", ["", "A", "AA", "AAA", "AA=A", "AAAA\n", "AA AA", "data:image/png;base64,AAAA"])
    def test_refuses_what_is_no_padded_base64(self, data):
        source = {"type": "base64", "media_type": "image/png", "data": data}
        assert refused(prompt=[{"type": "image", "source": source}]) == ["/prompt/0/source/data"]

    def test_has_at_most_a_thousand_blocks(self):
        block = {"type": "text", "text": "a"}
        assert len(asking(prompt=[block] * 1000).prompt) == 1000
        assert refused(prompt=[5] * 1001) == ["/prompt"]


class TestNumbers:
    @pytest.mark.parametrize("value", ["5", True, False, 1.5, 0, -1, None, [], {}])
    def test_turns_are_whole_and_at_least_one(self, value):
        assert refused(max_turns=value) == ["/max_turns"]

    def test_a_float_without_a_fraction_is_whole_as_json_has_one_kind_of_number(self):
        request = asking(max_turns=2.0, v=1.0)
        assert (request.max_turns, type(request.max_turns)) == (2, int)

    @pytest.mark.parametrize("name", ["timeout_s", "idle_timeout_s", "max_budget_usd"])
    def test_limits_are_positive_and_finite(self, name):
        for value in ("5", True, 0, 0.0, -1, None, float("nan"), float("inf"), 10**400, 10**300):
            assert refused(limits={name: value}) == [f"/limits/{name}"], value

    @pytest.mark.parametrize("value", [0, -0.5, "10", None, 3601])
    def test_the_ping_comes_after_some_time_and_within_the_hour(self, value):
        assert refused(stream={"ping_s": value}) == ["/stream/ping_s"]

    @pytest.mark.parametrize("value", [1, 0.001, 604_800])
    def test_a_timeout_may_be_a_fraction_of_a_second_or_a_week(self, value):
        assert asking(limits={"timeout_s": value}).limits.timeout_s == value


class TestSwitches:
    @pytest.mark.parametrize("value", [0, 1, "true", None, []])
    def test_are_true_or_false_and_nothing_else(self, value):
        assert refused(thinking=value) == ["/thinking"]
        assert refused(stream={"partial": value}) == ["/stream/partial"]
        assert refused(session={"resume": UUID, "fork": value}) == ["/session/fork"]


class TestNames:
    @pytest.mark.parametrize("name", ["claude-opus-5-5", "sonnet[1m]", "claude@20250929", "arn:aws:bedrock:a:1:b/c"])
    def test_a_model_may_have_any_vendors_name(self, name):
        assert asking(model=name, fallback_model=name).model == name

    @pytest.mark.parametrize("name", ["", "-p", "--model", "a b", "a\n", "a\0", "\ta", "é", "a\u00a0b", "x" * 257, 5])
    def test_a_model_name_is_safe_as_an_argument(self, name):
        assert refused(model=name) == ["/model"]
        assert refused(fallback_model=name) == ["/fallback_model"]

    @pytest.mark.parametrize("run", ["a", "A-Z.a_z:0", "x" * 128])
    def test_a_run_may_be_named_by_the_caller(self, run):
        assert asking(run=run).run == run

    @pytest.mark.parametrize("run", ["", "a b", "a\n", "ä", "a/b", "x" * 129, 5, None])
    def test_a_run_id_is_short_and_plain(self, run):
        assert refused(run=run) == ["/run"]

    @pytest.mark.parametrize("text", ["", "a\0b", None, 5])
    def test_a_system_prompt_has_text_and_no_nul(self, text):
        assert refused(system_prompt=text) == ["/system_prompt"]

    def test_a_system_prompt_may_have_many_lines_and_any_script(self):
        assert asking(system_prompt="Sei höflich.\n\tAlways.\u2028").system_prompt


class TestSession:
    def test_is_resumed_by_its_id(self):
        assert asking(session={"resume": UUID}).session == ResumeSession(resume=UUID, fork=False)
        assert asking(session={"resume": UUID, "fork": True}).session == ResumeSession(resume=UUID, fork=True)

    def test_is_begun_under_a_chosen_id(self):
        assert asking(session={"id": UUID}).session == NewSession(id=UUID)

    @pytest.mark.parametrize(
        ("session", "places"),
        [
            ({}, ["/session"]),
            (UUID, ["/session"]),
            ({"resume": UUID, "id": UUID}, ["/session/id"]),
            ({"id": UUID, "fork": True}, ["/session/fork"]),
            ({"fork": True}, ["/session/resume"]),
            ({"resume": "latest"}, ["/session/resume"]),
            ({"resume": f"../{UUID}"}, ["/session/resume"]),
            ({"resume": f"{UUID}\n"}, ["/session/resume"]),
            ({"id": "1"}, ["/session/id"]),
            ({"id": None}, ["/session/id"]),
        ],
    )
    def test_is_either_resumed_or_begun_by_a_uuid(self, session, places):
        assert refused(session=session) == places


class TestAppTools:
    def test_are_a_list_of_named_described_schemas(self):
        assert asking(app_tools=[TOOL]).app_tools[0].name == "find_order"

    @pytest.mark.parametrize("name", ["", "a b", "a.b", "ü", "x" * 65, "a\n"])
    def test_have_plain_short_names(self, name):
        assert refused(app_tools=[{**TOOL, "name": name}]) == ["/app_tools/0/name"]

    def test_have_different_names(self):
        assert refused(app_tools=[TOOL, {**TOOL, "description": "Another."}]) == ["/app_tools"]

    @pytest.mark.parametrize("schema", [{}, {"type": "array"}, [], "object", None, True])
    def test_take_objects(self, schema):
        assert refused(app_tools=[{**TOOL, "input_schema": schema}]) == ["/app_tools/0/input_schema"]


class TestMetadata:
    def test_is_kept_as_it_is(self):
        metadata = {"user": {"id": 5, "tags": [None, True, 1.5, "ü"]}}
        assert asking(metadata=metadata).metadata == metadata

    def test_may_be_as_large_as_the_contract_says_and_no_larger(self):
        room = MAX_METADATA_BYTES - len('{"a":""}')
        assert asking(metadata={"a": "x" * room})
        assert refused(metadata={"a": "x" * (room + 1)}) == ["/metadata"]

    def test_is_measured_in_bytes_of_utf_8(self):
        room = MAX_METADATA_BYTES - len('{"a":""}')
        assert asking(metadata={"a": "ü" * (room // 2)})
        assert refused(metadata={"a": "ü" * (room // 2 + 1)}) == ["/metadata"]

    @pytest.mark.parametrize("value", [float("nan"), [float("-inf")], {1: 2}, {1, 2}, object()])
    def test_holds_json_only(self, value):
        assert refused(metadata={"a": value}) == ["/metadata"]
        assert refused(output_schema={"a": value}) == ["/output_schema"]

    def test_is_not_nested_too_deeply(self):
        value = {}
        for _ in range(5000):
            value = {"a": value}
        assert refused(metadata=value) == ["/metadata"]


class TestVersion:
    @pytest.mark.parametrize("version", [0, 2, -1, 1.5, 99])
    def test_another_version_is_refused_as_such_and_nothing_else_is_said(self, version):
        with pytest.raises(RequestProblems) as refused:
            parse_request({"v": version, "prompt": 5, "unheard": "of"})
        assert refused.value.code == "unsupported_version"
        assert [problem.pointer for problem in refused.value.problems] == ["/v"]

    @pytest.mark.parametrize("version", ["1", True, None, [1]])
    def test_what_is_no_number_is_an_invalid_request(self, version):
        with pytest.raises(RequestProblems) as refused:
            parse_request({"v": version, "prompt": "Hello"})
        assert refused.value.code == "invalid_request"
        assert [problem.pointer for problem in refused.value.problems] == ["/v"]


class TestRefusal:
    @pytest.mark.parametrize("document", [None, 5, "Hello", [], [{"prompt": "Hello"}], True])
    def test_concerns_the_whole_document_when_it_is_no_object(self, document):
        assert pointers(document) == [""]

    def test_bears_the_callers_run_id_where_that_is_valid(self):
        for run, expected in (("r-1", "r-1"), ("a b", None), (5, None), ("x\n", None)):
            with pytest.raises(RequestProblems) as refused:
                parse_request({"run": run})
            assert refused.value.run == expected

    def test_sums_up_in_one_line(self):
        with pytest.raises(RequestProblems, match=r"^/prompt: is required; /promt: is not a known field$"):
            parse_request({"promt": "Hello"})

    def test_can_be_sent_as_json(self):
        with pytest.raises(RequestProblems) as refused:
            parse_request({"promt": "\ud800"})
        assert json.dumps([problem.to_wire() for problem in refused.value.problems])
