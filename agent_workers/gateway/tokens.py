"""Checks tokens: JSON Web Tokens that the application signs, for one user and a short time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jwt
from jwt.exceptions import ExpiredSignatureError, PyJWTError
from pydantic import ValidationError

from agent_workers.gateway.claims import Claims, claims_of
from agent_workers.gateway.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.gateway.once import Once
    from agent_workers.gateway.settings import GatewaySettings

START_S = 120
"""Seconds that a token lives at most that starts a run."""
_LONGEST = 8 * 1024
_LEEWAY_S = 5
"""By how much the clocks of the application and of this machine may differ."""
_REQUIRED = ["exp", "iat", "aud", "sub"]


class Tokens:
    """Checks the tokens of one gateway.

    Args:
        settings: Say which audience and keys they have.
        keys: The keys, as PyJWT takes them, by their ``kid``.
        once: Remembers those that hold once.
    """

    def __init__(self, settings: GatewaySettings, keys: Mapping[str, Any], once: Once) -> None:
        self._settings = settings
        self._keys = {kid: (settings.key[kid].algorithm, key) for kid, key in keys.items()}
        self._once = once

    def read(self, token: str) -> Claims:
        """Returns what a token says.

        Raises:
            Refusal: It is forged, has ended, is another gateway's, or says what none may say.
        """
        if len(token) > _LONGEST:
            raise _refused()
        try:
            algorithm, key = self._key_of(jwt.get_unverified_header(token))
            payload = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                leeway=_LEEWAY_S,
                options={"require": _REQUIRED, "strict_aud": True},
            )
            claims = claims_of(payload)
        except ExpiredSignatureError:
            raise Refusal(401, "token_expired", "The token has expired. Ask the application for another.") from None
        except ValidationError as error:
            place = ".".join(map(str, error.errors()[0]["loc"])) or "the claims"
            raise Refusal(401, "token_invalid", f"The token is refused: its claim {place[:64]} is not valid.") from None
        except (PyJWTError, ValueError, RecursionError):
            raise _refused() from None
        self._check_use(claims)
        return claims

    async def spend(self, claims: Claims) -> None:
        """Checks that a token may start a run, now.

        Raises:
            Refusal: It lives too long for that, is for reading alone, or was used before.
        """
        if claims.use == "read":
            raise Refusal(403, "forbidden", "This token is for reading alone.")
        self._check_life(claims, START_S)
        if not claims.once:
            return
        if claims.jti is None:
            raise Refusal(401, "token_invalid", "The token is refused: one that holds once needs a jti.")
        if not await self._once.take(claims.owner, claims.jti, claims.exp + _LEEWAY_S):
            raise Refusal(401, "token_used", "The token was used before. Ask the application for another.")

    def _check_use(self, claims: Claims) -> None:
        limits = self._settings.limits
        if claims.jti is not None and claims.jti in self._settings.revoked:
            raise Refusal(401, "token_revoked", "The token was revoked. Ask the application for another.")
        if claims.use == "connect" and claims.jti is None:
            words = "The token is refused: one that connects a machine needs a jti, by which it can be revoked."
            raise Refusal(401, "token_invalid", words)
        self._check_life(claims, limits.connect_token_s if claims.use == "connect" else limits.token_s)

    def _check_life(self, claims: Claims, longest_s: float) -> None:
        if claims.lifetime_s > longest_s or claims.exp > time.time() + longest_s + _LEEWAY_S:
            words = f"The token is refused: it may live for {longest_s:g} seconds at most."
            raise Refusal(401, "token_too_long", words)

    def _key_of(self, header: Mapping[str, Any]) -> tuple[str, Any]:
        """Returns the key that a token names, and its algorithm: what the token says of that is only compared."""
        kid = header.get("kid")
        if kid is None and len(self._keys) == 1:
            kid = next(iter(self._keys))
        if not isinstance(kid, str) or kid not in self._keys:
            raise ValueError("no such key")
        return self._keys[kid]


def _refused() -> Refusal:
    return Refusal(401, "token_invalid", "The token is refused. Ask the application for another.")
