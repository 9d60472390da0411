"""What was said, done and spent, in a database of the operator's own.

>>> from agent_workers.client import ProcessRunner
>>> from agent_workers.records import Recorder
>>> with Recorder("sqlite:////var/lib/agents/records.db") as recorder:  # doctest: +SKIP
...     request = {"prompt": "Hello"}
...     run = recorder.around(ProcessRunner("agent-chat").stream(request), request, user="7")
...     print(run.result().text)
"""

from agent_workers.records.database import BadAddress
from agent_workers.records.recorder import Recorder
from agent_workers.records.recording import Recording
from agent_workers.records.settings import RecordsSettings, read_settings

__all__ = ["BadAddress", "Recorder", "Recording", "RecordsSettings", "read_settings"]
