"""The machines that users have connected, and which of them takes a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.gateway.machine import ConnectedMachine
from agent_workers.gateway.refusal import Refusal, busy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_workers.connect.messages import Offer
    from agent_workers.gateway.composing import Composed
    from agent_workers.gateway.owner import Owner
    from agent_workers.gateway.settings import LimitsTable

_AFTER_MS = 5_000


class Machines:
    """The machines of all users; each sees and serves its own user's runs alone.

    Args:
        limits: How many there may be, and how long one may be lost.
    """

    def __init__(self, limits: LimitsTable) -> None:
        self._limits = limits
        self._by_owner: dict[Owner, dict[str, ConnectedMachine]] = {}

    @property
    def connected(self) -> int:
        """How many are."""
        return sum(each.is_connected for machines in self._by_owner.values() for each in machines.values())

    def connect(self, owner: Owner, offer: Offer) -> ConnectedMachine:
        """Returns the machine that an offer is of, as the newest of its user.

        Raises:
            Refusal: The user has too many.
        """
        own = self._by_owner.setdefault(owner, {})
        machine = own.pop(offer.machine, None)
        if machine is None:
            if len(own) >= self._limits.machines_per_user:
                words = f"Too many of your machines are connected: {self._limits.machines_per_user} may be."
                raise Refusal(429, "too_many_machines", words, retry_after_ms=_AFTER_MS)
            machine = ConnectedMachine(owner, offer, self._limits.machine_grace_s, self._gone)
        own[offer.machine] = machine
        return machine

    def choose(self, owner: Owner, composed: Composed) -> ConnectedMachine:
        """Returns the newest machine of a user that runs this, and has room.

        Raises:
            Refusal: There is none.
        """
        own = reversed(self._by_owner.get(owner, {}).values())
        there = [each for each in own if each.is_connected and not each.is_draining]
        fitting = [each for each in there if _runs(each.offer, composed)]
        if not fitting:
            raise _no_machine(there, composed.preset.worker)
        for machine in fitting:
            if machine.has_room:
                return machine
        raise busy("Your machine has as many runs as it takes. Wait for one, or stop it.")

    def _gone(self, machine: ConnectedMachine) -> None:
        own = self._by_owner.get(machine.owner, {})
        if own.get(machine.id) is machine:
            del own[machine.id]
        if not own:
            self._by_owner.pop(machine.owner, None)


def _runs(offer: Offer, composed: Composed) -> bool:
    model, skill = composed.request.get("model"), composed.request.get("skill")
    return (
        composed.preset.worker in offer.workers
        and (offer.models is None or model is None or model in offer.models)
        and (skill is None or offer.skills is None or skill in offer.skills)
    )


def _no_machine(there: Iterable[ConnectedMachine], worker: str) -> Refusal:
    words = (
        f"Your machine does not offer this run: start `agent-workers connect` there with --worker {worker}."
        if there
        else "Your machine is not connected. Start `agent-workers connect` there, and try again."
    )
    return Refusal(503, "no_machine", words, retry_after_ms=_AFTER_MS)
