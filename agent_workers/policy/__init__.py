"""The host's policy: what a request may ask for on this host. A pure decision; no request can widen it."""

from agent_workers.policy.load import load_policy
from agent_workers.policy.policy import DEFAULT, Policy
from agent_workers.policy.ruling import Denied, Objection, Ruling
from agent_workers.policy.together import together

__all__ = ["DEFAULT", "Denied", "Objection", "Policy", "Ruling", "load_policy", "together"]
