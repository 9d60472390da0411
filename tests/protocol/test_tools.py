"""The table of the built-in tools."""

import pytest

from agent_workers.protocol.v1.tools import BUILT_IN_TOOLS, PATH_RULES, BuiltInTool, path_rule_of


@pytest.mark.parametrize("tool", BUILT_IN_TOOLS.values(), ids=lambda tool: tool.name)
def test_what_the_table_says_of_a_parameter_is_about_one_that_the_tool_has(tool: BuiltInTool) -> None:
    parameters = {**tool.required, **tool.optional}
    assert tool.telling
    assert {*tool.telling, *([tool.path] if tool.path else [])} <= parameters.keys()
    assert not tool.required.keys() & tool.optional.keys()


@pytest.mark.parametrize("tool", BUILT_IN_TOOLS.values(), ids=lambda tool: tool.name)
def test_a_tool_works_on_a_path_where_rules_check_its_paths_and_nowhere_else(tool: BuiltInTool) -> None:
    assert (tool.path is not None) == (path_rule_of(tool.name) in PATH_RULES)


def test_the_tools_are_listed_in_the_order_of_their_names() -> None:
    assert list(BUILT_IN_TOOLS) == sorted(BUILT_IN_TOOLS)
