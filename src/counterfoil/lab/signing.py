"""Signatures of people and of the log: Ed25519 by `cryptography`; a person's private key is closed with a passphrase.

A key file is an age file (scrypt) that holds the 32 bytes of the private key. It belongs to its person and lies outside
the lab. `cryptography` is imported where it is used: most commands never sign.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

import pyrage

from counterfoil.errors import UsageError

PREFIX = "ed25519:"
LEAST_PASSPHRASE = 12  # characters; scrypt makes each guess cost about a second
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that is open. `public` is what `lab.toml` and the log hold."""

    public: str
    _private: bytes = field(repr=False)

    def sign(self, message: bytes) -> str:
        """The signature of `message`, base64."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return base64.b64encode(Ed25519PrivateKey.from_private_bytes(self._private).sign(message)).decode()

    def raw(self) -> bytes:
        """The private key's bytes, for its file."""
        return self._private


def new_key() -> SigningKey:
    """A new random key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return key_from(Ed25519PrivateKey.generate().private_bytes_raw())


def key_from(private: bytes) -> SigningKey:
    """The key of these 32 bytes; UsageError when they are none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if len(private) != KEY_BYTES:
        raise UsageError("The file is no signing key of Counterfoil. Give the file that `counterfoil clear` wrote.")
    public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    return SigningKey(PREFIX + base64.b64encode(public).decode(), private)


def close_key(key: SigningKey, passphrase: str) -> bytes:
    """The bytes of a key file that only `passphrase` opens. UsageError when it is too short."""
    if len(passphrase) < LEAST_PASSPHRASE:
        raise UsageError(f"The passphrase is too short; it must have {LEAST_PASSPHRASE} characters or more.")
    return bytes(pyrage.passphrase.encrypt(key.raw(), passphrase))


def open_key(data: bytes, passphrase: str) -> SigningKey:
    """The key in a key file. UsageError when the passphrase is wrong or the file is no key."""
    try:
        return key_from(bytes(pyrage.passphrase.decrypt(data, passphrase)))
    except pyrage.DecryptError as error:
        raise UsageError(
            "The key file does not open: the passphrase is wrong, or it is no key file. Try again; a lost passphrase "
            "cannot be recovered, so then make a new key and have an owner put it in force."
        ) from error


def is_signed(public: str, signature: str, message: bytes) -> bool:
    """Whether `signature` was made over `message` by the private key of `public`."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix(PREFIX), validate=True))
        key.verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, ValueError):
        return False
    return True
