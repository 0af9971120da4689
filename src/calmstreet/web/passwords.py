"""Passwords: argon2id, at most two at a time, as slow for names that do not exist."""

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

__all__ = ["LEAST_LETTERS", "digest_of", "fits", "one_time_password", "too_weak"]

LEAST_LETTERS = 12
_AT_ONCE = threading.BoundedSemaphore(2)
_HASHER = PasswordHasher()
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_NOBODY: list[str] = []


def digest_of(password: str) -> str:
    """Return the salted argon2id digest of a password with its parameters."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def fits(password: str, digest: str | None) -> bool:
    """Return whether a password belongs to a digest; None takes as long and never fits."""
    if digest is None:
        if not _NOBODY:
            _NOBODY.append(digest_of(secrets.token_hex(16)))
        _fits(password, _NOBODY[0])
        return False
    return _fits(password, digest)


def _fits(password: str, digest: str) -> bool:
    with _AT_ONCE:
        try:
            return _HASHER.verify(digest, password)
        except (VerificationError, InvalidHashError):
            return False


def one_time_password() -> str:
    """Return a password of 20 letters that are not easily mistaken for each other (97 bits)."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(20))
    return "-".join(letters[i : i + 5] for i in range(0, 20, 5))


def too_weak(password: str, *, name: str) -> str:
    """Return what is wrong with a new password, "" when nothing is.

    >>> too_weak("aaaaaaaaaaaa", name="aliya")
    'the password has fewer than 5 different letters; choose another'
    >>> too_weak("correct horse battery", name="aliya")
    ''
    """
    if len(password) < LEAST_LETTERS:
        return f"the password has fewer than {LEAST_LETTERS} letters; choose a longer one"
    if len(set(password)) < 5:
        return "the password has fewer than 5 different letters; choose another"
    if name in password.lower():
        return "the password holds the name of the account; choose another"
    return ""
