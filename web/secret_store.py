"""Secrets of a local start (random, made once, readable by their owner only), and a check for weak keys."""

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

_KEY_BYTES = 32
_DIFFERENT = 6  # characters that a secret must have at least


class WeakSecretError(ValueError):
    """A secret that is easily guessed."""


class UnusableError(ValueError):
    """A value that no client could send as it is."""


def refuse_unusable(name: str, text: str) -> None:
    """Raise `UnusableError` for a text with white space around it, or with control characters.

    A newline at the end comes with the content of a file. No header can hold one, and people do not type it.
    """
    if text != text.strip():
        raise UnusableError(f"{name} begins or ends with white space, perhaps the newline of a file: remove it")
    if not text.replace(" ", "").isprintable():
        raise UnusableError(f"{name} has a control character, or one that is not seen: remove it")


def refuse_weak_key(name: str, key: str) -> None:
    """Raise `WeakSecretError` for a key of fewer than 32 bytes or of few different characters.

    Raises `UnusableError` for one that no header can hold.
    """
    refuse_unusable(name, key)
    if not key.isascii():
        raise UnusableError(f"{name} has a character that is not ASCII, which no header can hold")
    if len(key.encode()) < _KEY_BYTES or len(set(key)) < _DIFFERENT:
        raise WeakSecretError(
            f"{name} is too weak: at least {_KEY_BYTES} random bytes are expected, as from 'openssl rand -hex 32'"
        )


def random_key(path: Path) -> str:
    """Return the key in a file. A file that does not exist is created with a random key (64 hexadecimal digits)."""
    return _once(path, lambda: secrets.token_hex(_KEY_BYTES))[0]


def random_password(path: Path) -> tuple[str, bool]:
    """Return the password in a file and whether the file was created now, with a random password."""
    return _once(path, lambda: secrets.token_urlsafe(18))


def private_key(path: Path) -> str:
    """Return the PEM of the Ed25519 private key in a file, which is created if it does not exist."""
    return _once(path, _new_private_key)[0]


def _new_private_key() -> str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _once(path: Path, make: Callable[[], str]) -> tuple[str, bool]:
    """Return a file's content and whether it was written now. Of several processes one writes it, and all read it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # readable by its owner only
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(make() + "\n")
        try:
            os.link(draft, path)  # unlike a rename, it does not replace the file of another process
        except FileExistsError:
            pass
        else:
            return path.read_text(encoding="utf-8").strip(), True
        finally:
            Path(draft).unlink()
    return path.read_text(encoding="utf-8").strip(), False
