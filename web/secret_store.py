"""Secrets of a local start: random, made once, readable by their owner alone; and what is too weak to be one."""

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

PASSWORD_FILE = "admin-password"
_KEY_BYTES = 32
_SHORTEST_PASSWORD, _LONGEST_PASSWORD = 12, 128  # characters; hashing a longer one is work for an attacker to order
_DIFFERENT = 6  # characters that a secret must have at least
_COMMON = ("password", "passwort", "motdepasse", "changeme", "change-me", "secret", "12345678", "qwerty", "azerty",
           "admin", "letmein", "default", "example")  # fmt: skip


class WeakSecretError(ValueError):
    """A secret that is easily guessed."""


def refuse_weak_key(name: str, key: str) -> None:
    """Raise `WeakSecretError` for a key of fewer than 32 bytes or of few different characters."""
    if len(key.encode()) < _KEY_BYTES or len(set(key)) < _DIFFERENT:
        raise WeakSecretError(
            f"{name} is too weak: at least {_KEY_BYTES} random bytes are expected, as from 'openssl rand -hex 32'"
        )


def refuse_weak_password(password: str, username: str) -> None:
    """Raise `WeakSecretError`, with what is expected, for a password that is short, common or about its owner."""
    if not _SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise WeakSecretError(f"the password must have {_SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters")
    plain = password.casefold()
    left = plain
    for word in (*_COMMON, username.casefold()):
        left = left.replace(word, "")
    if len(set(plain)) < _DIFFERENT or len(left) < _SHORTEST_PASSWORD // 2:
        raise WeakSecretError("the password is easily guessed: choose one that is neither common nor about its owner")


def random_key(path: Path) -> str:
    """Return the key in a file, which is made with a random one (64 hexadecimal digits) when it is not there."""
    return _once(path, lambda: secrets.token_hex(_KEY_BYTES))[0]


def random_password(path: Path) -> tuple[str, bool]:
    """Return the password in a file, made when it is not there, and whether it was made now."""
    return _once(path, lambda: secrets.token_urlsafe(18))


def private_key(path: Path) -> str:
    """Return the PEM of the Ed25519 private key in a file, made when it is not there."""
    return _once(path, _new_private_key)[0]


def _new_private_key() -> str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _once(path: Path, make: Callable[[], str]) -> tuple[str, bool]:
    """Return a file's content and whether it was written now; of several processes at once one writes, all read it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # its owner's alone
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(make() + "\n")
        try:
            os.link(draft, path)  # unlike a rename it does not replace what another process has just put there
        except FileExistsError:
            pass
        else:
            return path.read_text(encoding="utf-8").strip(), True
        finally:
            Path(draft).unlink()
    return path.read_text(encoding="utf-8").strip(), False
