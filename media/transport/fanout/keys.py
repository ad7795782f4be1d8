"""SRTP session keys from master keys (RFC 3711 §4.3, RFC 7714 §11), key derivation rate 0."""

from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from media.transport.fanout.port import PROFILE_GCM, MasterKey

_LABEL_CIPHER: Final = 0
_LABEL_HASH: Final = 1
_LABEL_SALT: Final = 2


class SessionKeys(NamedTuple):
    """Keys of SRTP, not of SRTCP."""

    cipher: bytes
    """16 bytes."""
    salt: bytes
    """14 bytes for CM, 12 for GCM."""
    hash: bytes
    """20 bytes for HMAC-SHA1; unused with GCM."""


def derive(master: MasterKey) -> SessionKeys:
    """Session keys for a direction."""
    return SessionKeys(
        _stretch(master, _LABEL_CIPHER, 16),
        _stretch(master, _LABEL_SALT, 12 if master.profile == PROFILE_GCM else 14),
        _stretch(master, _LABEL_HASH, 20),
    )


def _stretch(master: MasterKey, label: int, size: int) -> bytes:
    """AES in counter mode from the salted label; a salt of 12 bytes is padded behind."""
    start = bytearray(master.salt.ljust(14, b"\0") + b"\0\0")
    start[7] ^= label
    cipher = Cipher(algorithms.AES(master.key), modes.CTR(bytes(start)))
    return cipher.encryptor().update(bytes(size))
