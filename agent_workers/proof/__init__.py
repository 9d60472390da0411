"""Proves transcripts: are the lines of a file those that were written, and did people decide what it says they did."""

from agent_workers.proof.decisions import Decision
from agent_workers.proof.finding import Finding
from agent_workers.proof.keys import Keys, NoKey
from agent_workers.proof.report import Report, RunReport
from agent_workers.proof.transcript import verify

__all__ = ["Decision", "Finding", "Keys", "NoKey", "Report", "RunReport", "verify"]
