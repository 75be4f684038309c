"""Tokens: only valid tokens that this service has signed for itself are accepted."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from bento import tokens
from bento.tokens import Signer, TokenError, Verifier
from ledger.callers import Caller
from ledger.users import User
from web.secret_store import private_key

SECRET = "0123456789abcdef-a-secret-of-tests-only"
VERIFIER = Verifier("HS256", {None: SECRET.encode()})
NOW = datetime.now(UTC)
ULF = User("id-of-ulf", "ulf", "user", "hash", 3, NOW)
RITA = User("id-of-rita", "rita", "reviewer", "hash", 0, NOW)
CLAIMS: dict[str, Any] = {
    "sub": "id-of-ulf", "name": "ulf", "role": "user", "gen": 3, "iss": tokens.ISSUER, "aud": tokens.AUDIENCE,
    "iat": NOW.timestamp(), "exp": int((NOW + timedelta(minutes=30)).timestamp()), "jti": "1",
}  # fmt: skip


def signed(key: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return jwt.encode(claims, key, algorithm)


def test_a_token_says_whom_it_was_issued_to_and_expires_after_half_an_hour() -> None:
    token = Signer("HS256", SECRET).sign(ULF)
    assert VERIFIER.verify(token) == Caller("id-of-ulf", "ulf", "user", 3)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert set(claims) == {"sub", "name", "role", "gen", "iss", "aud", "auth_time", "iat", "exp", "jti"}
    assert claims["exp"] - claims["iat"] == pytest.approx(1_800, abs=1)


def test_a_renewed_token_keeps_the_time_of_the_login() -> None:
    signer = Signer("HS256", SECRET)
    login = int(NOW.timestamp()) - 7_200
    first = VERIFIER.verify(signed(auth_time=login))
    renewed = signer.renew(first)
    assert VERIFIER.verify(renewed) == first
    assert VERIFIER.verify(renewed).authenticated_at == login
    claims = jwt.decode(renewed, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == pytest.approx(1_800, abs=1)


def test_a_token_that_does_not_say_when_its_login_was_counts_from_its_beginning() -> None:
    assert VERIFIER.verify(signed()).authenticated_at == pytest.approx(NOW.timestamp(), abs=1)


def test_every_token_has_an_id_of_its_own() -> None:
    ids = {jwt.decode(Signer("HS256", SECRET).sign(ULF), options={"verify_signature": False})["jti"]
           for _ in range(50)}  # fmt: skip
    assert len(ids) == 50


def unsigned() -> str:
    def part(content: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(CLAIMS)}."


def tampered() -> str:
    header, _, signature = signed().split(".")
    forged = base64.urlsafe_b64encode(json.dumps({**CLAIMS, "role": "admin"}).encode()).rstrip(b"=").decode()
    return f"{header}.{forged}.{signature}"


FORGERIES = {
    "alg none": unsigned(),
    "role forged in the payload": tampered(),
    "another key": signed(key="another-key-that-is-long-enough-for-hs256"),
    "another algorithm": signed(algorithm="HS512"),
    "another audience": signed(aud="shop"),
    "another issuer": signed(iss="shop"),
    "expired": signed(exp=int((NOW - timedelta(seconds=1)).timestamp())),
    "from the future": signed(iat=(NOW + timedelta(hours=1)).timestamp()),
    "a role that there is not": signed(role="root"),
    "a role that is a list": signed(role=["admin"]),
    "a subject that is a number": signed(sub=7),
    "a name that is a number": signed(name=7),
    "a generation that is text": signed(gen="first"),
    "a time that is text": signed(iat="yesterday"),
    "a login at a time that is text": signed(auth_time="yesterday"),
    **{f"no {claim}": signed(**{claim: None}) for claim in CLAIMS},
    "no token at all": "abc",
    "empty parts": "..",
    "not even ASCII": "é.é.é",
    "a key id of somebody else": jwt.encode(CLAIMS, SECRET, "HS256", headers={"kid": "../../etc/passwd"}),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_tokens_are_refused(forgery: str) -> None:
    with pytest.raises(TokenError):
        VERIFIER.verify(FORGERIES[forgery])


def test_ed25519_tokens_are_verified_with_the_public_key_only(tmp_path: Any) -> None:
    pem = private_key(tmp_path / "key.pem")
    key_id, published = tokens.key_set(pem)
    assert "d" not in published["keys"][0], "the private half was published"
    verifier = Verifier("EdDSA", tokens.public_keys(published))
    token = Signer("EdDSA", pem, key_id).sign(RITA)
    assert isinstance(verifier.verify(token), Caller)
    with pytest.raises(TokenError):
        VERIFIER.verify(token)
    with pytest.raises(TokenError):  # the public key used as the secret of an HMAC: a well-known confusion
        verifier.verify(jwt.encode(CLAIMS, published["keys"][0]["x"], "HS256", headers={"kid": key_id}))
    stranger = Signer("EdDSA", private_key(tmp_path / "other.pem"), key_id).sign(RITA)
    with pytest.raises(TokenError):
        verifier.verify(stranger)


def test_a_public_key_may_also_be_given_as_pem(tmp_path: Any) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    pem = private_key(tmp_path / "key.pem")
    key_id, _ = tokens.key_set(pem)
    public = load_pem_private_key(pem.encode(), None).public_key()
    verifier = Verifier(
        "EdDSA", tokens.public_key(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())
    )
    assert verifier.verify(Signer("EdDSA", pem, key_id).sign(RITA)).username == "rita"


@pytest.mark.parametrize(
    "content", [{}, {"keys": []}, {"keys": [{"kty": "RSA"}]}, {"keys": [{"kty": "OKP"}]}, {"keys": 7}]
)
def test_a_key_set_without_a_usable_key_is_an_error(content: dict[str, Any]) -> None:
    with pytest.raises(TokenError):
        tokens.public_keys(content)


def test_a_verified_token_is_refused_after_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = Verifier("HS256", {None: SECRET.encode()})
    token = signed()
    assert verifier.verify(token) is verifier.verify(token)
    monkeypatch.setattr(tokens, "time", lambda: CLAIMS["exp"] + 1.0)
    monkeypatch.setattr(jwt.api_jwt, "datetime", LaterClock)
    with pytest.raises(TokenError, match="expired"):
        verifier.verify(token)


class LaterClock(datetime):
    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return datetime.now(tz) + timedelta(hours=1)


def test_tokens_of_a_key_that_is_no_longer_trusted_are_refused() -> None:
    verifier = Verifier("HS256", {None: SECRET.encode()})
    token = signed()
    verifier.verify(token)
    verifier.trust({None: b"another-key-that-is-long-enough-for-hs256"})
    with pytest.raises(TokenError):
        verifier.verify(token)
