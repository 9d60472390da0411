"""Puts a worker in any language to the test: does it keep the contract. The cases are data, in ``conformance/v1``.

>>> from agent_workers.conformance import Kit, load_profile
>>> report = Kit(["agent-chat"], load_profile(None, ["agent-chat"]), level="core").run()  # doctest: +SKIP
>>> report.reached  # doctest: +SKIP
'core'
"""

from agent_workers.conformance.case import LEVELS, Case, load_cases
from agent_workers.conformance.kit import Kit
from agent_workers.conformance.profile import Profile, ProfileError, load_profile
from agent_workers.conformance.report import Report
from agent_workers.conformance.verdict import Finding, Verdict

__all__ = [
    "LEVELS",
    "Case",
    "Finding",
    "Kit",
    "Profile",
    "ProfileError",
    "Report",
    "Verdict",
    "load_cases",
    "load_profile",
]
