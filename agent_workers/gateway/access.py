"""Who asks: the token of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.gateway.refusal import Refusal

if TYPE_CHECKING:
    from agent_workers.gateway.claims import Claims
    from agent_workers.gateway.exchange import Exchange
    from agent_workers.gateway.tokens import Tokens

_BEARER = "bearer "
IN_ADDRESS = "token"
"""The name of a token in an address: for ``EventSource``, which sends no headers."""


def claims_of(exchange: Exchange, tokens: Tokens, *, run: str | None = None) -> Claims:
    """Returns what the token of a request says.

    Args:
        exchange: The request.
        tokens: Checks it.
        run: The run whose events are read, where that is all that happens: then the token may stand in the address, if
            it is for reading alone, and for this run by name.

    Raises:
        Refusal: There is none, or it is refused.
    """
    said = exchange.headers.get("authorization", "")
    if said[: len(_BEARER)].lower() == _BEARER:
        return _for_routes(tokens.read(said[len(_BEARER) :].strip()))
    in_address = exchange.query.get(IN_ADDRESS)
    if in_address is None:
        raise Refusal(401, "token_missing", "There is no token: send it as Authorization: Bearer.")
    if run is None:
        raise _not_there()
    claims = tokens.read(in_address)
    if claims.use != "read" or claims.runs is None:
        raise _not_there()
    return claims


def _for_routes(claims: Claims) -> Claims:
    if claims.use == "connect":
        raise Refusal(403, "forbidden", "This token is for connecting a machine alone.")
    return claims


def _not_there() -> Refusal:
    words = "A token does not belong into an address: send it as Authorization: Bearer."
    return Refusal(401, "token_in_address", words)
