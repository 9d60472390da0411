"""A key that tokens are checked with: its algorithm is the settings' alone to say, never a token's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from agent_workers.gateway.secret_text import UnusableKey, read_secret
from agent_workers.protocol.v1.fields import AbsolutePath, Opt, Strict

if TYPE_CHECKING:
    from typing import Self

_SHORTEST = 32
"""Bytes of a shared secret: RFC 7518 wants as many as the hash has."""


class TokenKey(Strict):
    """One key: in a file, or in a variable of the gateway's environment; never in the settings themselves."""

    synonyms: ClassVar = {"alg": "algorithm", "path": "file", "env": "variable", "secret_file": "file"}

    algorithm: Literal["HS256", "EdDSA", "ES256", "RS256"] = Field(
        description="How tokens are signed with it: a token that says otherwise is refused."
    )
    file: Opt[AbsolutePath] = Field(default=None, description="File with the secret, or with the public key as PEM.")
    variable: Opt[str] = Field(default=None, description="Name of a variable with the same.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.file is None) == (self.variable is None):
            raise PydanticCustomError("contract", "needs a file or a variable: one of the two")
        return self

    def load(self) -> Any:
        """Returns the key as PyJWT takes it.

        Raises:
            UnusableKey: It is missing, too short, or not of this algorithm.
        """
        from jwt import get_algorithm_by_name
        from jwt.exceptions import InvalidKeyError

        text = read_secret(self.file, self.variable)
        if self.algorithm == "HS256" and len(text) < _SHORTEST:
            raise UnusableKey(f"has {len(text)} bytes: a secret needs at least {_SHORTEST} random ones")
        if b"PRIVATE KEY" in text:
            raise UnusableKey("is a private key: the gateway needs the public one, and nobody else the private one")
        try:
            key = get_algorithm_by_name(self.algorithm).prepare_key(text)
        except (InvalidKeyError, ValueError, TypeError):
            raise UnusableKey(f"is no key for {self.algorithm}") from None
        return _checked(key, self.algorithm)


def _checked(key: Any, algorithm: str) -> Any:
    """Refuses a key of another curve, which PyJWT would refuse for each token."""
    curve = getattr(key, "curve", None)
    if algorithm == "ES256" and (curve is None or curve.name != "secp256r1"):
        raise UnusableKey("is of another curve than P-256, which ES256 needs")
    return key
