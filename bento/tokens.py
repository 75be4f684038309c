"""Tokens: JWTs signed with HS256 where auth is mounted, with Ed25519 where it runs apart."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import time
from typing import Any, Literal

import jwt

from ledger.callers import ROLES, Caller
from ledger.users import User

LIFETIME = timedelta(minutes=30)  # of one token; how long it can be renewed is `SESSION_HOURS`
ISSUER, AUDIENCE = "product-types-auth", "product-types"
_REMEMBERED = 4_096  # tokens
_REQUIRED = ["sub", "name", "role", "gen", "iss", "aud", "iat", "exp", "jti"]

Algorithm = Literal["HS256", "EdDSA"]


class TokenError(PermissionError):
    """A token is not valid, and why."""


@dataclass(frozen=True)
class Signer:
    """Issues tokens. `key`: the shared secret, or the PEM of the private key. `key_id`: names the key in the token."""

    algorithm: Algorithm
    key: str
    key_id: str | None = None

    def sign(self, user: User) -> str:
        """Return a token for a user who has just given the password, valid for half an hour."""
        return self._signed(user.id, user.username, user.role, user.generation, int(time()))

    def renew(self, caller: Caller) -> str:
        """Return a new token for whom a valid one was issued to. It is of the same generation and of the same login.

        It has nothing that was read from the database since: a change that voids the old token voids the new one too.
        """
        since = int(caller.authenticated_at)
        return self._signed(caller.user_id, caller.username, caller.role, caller.generation, since)

    def _signed(self, user_id: str, username: str, role: str, generation: int, authenticated_at: int) -> str:
        now = datetime.now(UTC)
        claims = {
            "sub": user_id,
            "name": username,
            "role": role,
            "gen": generation,
            "iss": ISSUER,
            "aud": AUDIENCE,
            "auth_time": authenticated_at,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "jti": secrets.token_urlsafe(12),
        }
        headers = {"kid": self.key_id} if self.key_id else None
        return jwt.encode(claims, self.key, self.algorithm, headers=headers)

    def digest(self, secret: str) -> str:
        """Return a digest of a secret that only those who have the key can compute, and so nobody can guess from."""
        return hmac.digest(self.key.encode(), f"digest\x1f{secret}".encode(), "sha256").hex()


class Verifier:
    """Verifies tokens of one algorithm, whichever algorithm a token names."""

    def __init__(self, algorithm: Algorithm, keys: Mapping[str | None, Any], leeway: float = 0) -> None:
        """`keys`: key id (None: of tokens without one) -> key. `leeway`: tolerated difference of clocks, in seconds."""
        self._algorithm = algorithm
        self._leeway = leeway
        self._keys = keys
        self._verified: dict[str, tuple[Caller, float]] = {}

    def trust(self, keys: Mapping[str | None, Any]) -> None:
        """Accept these keys from now on, and no earlier ones."""
        if self._keys != keys:
            self._keys, self._verified = keys, {}

    def verify(self, token: str) -> Caller:
        """Return whom a token was issued to. Raises `TokenError`.

        A verified token is remembered until it expires: verifying one takes as long as classifying a listing.
        """
        caller, expires_at = self._verified.get(token, (None, 0.0))
        if caller is None or expires_at <= time() - self._leeway:
            caller, expires_at = self._read(token)
            if len(self._verified) >= _REMEMBERED:
                self._verified.clear()
            self._verified[token] = caller, expires_at
        return caller

    def _read(self, token: str) -> tuple[Caller, float]:
        """Return whom a token was issued to and when it expires (seconds since 1970)."""
        try:
            key = self._keys.get(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                raise TokenError("the token was signed with an unknown key")
            claims = jwt.decode(
                token,
                key,
                algorithms=[self._algorithm],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=self._leeway,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError:
            raise TokenError("the token has expired: log in again") from None
        except (jwt.PyJWTError, ValueError, TypeError):
            raise TokenError("the token is not valid") from None
        user_id, username, role, generation = (claims[name] for name in ("sub", "name", "role", "gen"))
        since = claims.get("auth_time", claims["iat"])
        whose = isinstance(user_id, str) and isinstance(username, str) and isinstance(generation, int)
        if not whose or role not in ROLES or not isinstance(since, int | float):
            raise TokenError("the token is not valid")
        return Caller(user_id, username, role, generation, float(since)), float(claims["exp"])


def key_set(private_pem: str) -> tuple[str, dict[str, Any]]:
    """Return the id of an Ed25519 key and the JSON Web Key Set (RFC 7517, RFC 8037) with its public half.

    Raises `TokenError` for a PEM of another kind.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(private_pem.encode(), None)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise TokenError("the private key is no PEM of an Ed25519 key")
    public = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return _key_id(public), {"keys": [{**public, "use": "sig", "alg": "EdDSA", "kid": _key_id(public)}]}


def public_keys(key_set: Mapping[str, Any]) -> dict[str | None, Any]:
    """Return key id -> Ed25519 key of a JSON Web Key Set. Raises `TokenError` when there is none."""
    try:
        keys = {entry.get("kid"): jwt.PyJWK(entry, "EdDSA").key for entry in key_set["keys"] if entry["kty"] == "OKP"}
    except (jwt.PyJWTError, KeyError, TypeError, AttributeError) as error:
        raise TokenError(f"the key set cannot be read: {type(error).__name__}") from None
    if not keys:
        raise TokenError("the key set has no Ed25519 key")
    return keys


def public_key(pem: str) -> dict[str | None, Any]:
    """Return key id -> key of a PEM. Raises `TokenError`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise TokenError("the public key is no PEM of an Ed25519 key")
    return {_key_id(jwt.algorithms.OKPAlgorithm.to_jwk(key, as_dict=True)): key}


def _key_id(public: Mapping[str, Any]) -> str:
    return hashlib.sha256(public["x"].encode()).hexdigest()[:16]
