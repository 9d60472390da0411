"""A loopback simulator of the Anthropic Messages API, with scenarios as data files.

Point ``ANTHROPIC_BASE_URL`` at ``Simulator.base_url`` and set any API key: the real ``claude`` CLI, an SDK or a plain
HTTP client then gets scripted answers, failures, stalls and cuts, without a network or an account. Importing this
package loads no web framework: ``Simulator.serve`` does, and needs the extra ``simulator``.
"""

from agent_workers.simulator.batch import Batch
from agent_workers.simulator.journal import Outcome, Record
from agent_workers.simulator.scenario import Scenario
from agent_workers.simulator.scenario_file import (
    InvalidScenarioError,
    ScenarioError,
    UnknownScenarioError,
    load_scenario,
    parse_scenario,
    scenario_names,
)
from agent_workers.simulator.simulator import Simulator, running_simulator

__all__ = [
    "Batch",
    "InvalidScenarioError",
    "Outcome",
    "Record",
    "Scenario",
    "ScenarioError",
    "Simulator",
    "UnknownScenarioError",
    "load_scenario",
    "parse_scenario",
    "running_simulator",
    "scenario_names",
]
