"""Signatures of requests, as Standard Webhooks 1.0 describes them (symmetric, ``v1``)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping

PREFIX = "whsec_"


class SignatureRefused(Exception):
    """The request isn't signed by someone who knows a secret. The text says why, and never the secret."""


def key_of(secret: str) -> bytes:
    """The bytes of a secret, written as base64 with or without ``whsec_`` before it.

    Raises ValueError if it isn't base64 or has fewer than 24 bytes, the least that the standard allows.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a secret is base64, with or without 'whsec_' before it") from error
    if len(key) < 24:
        raise ValueError("a secret has at least 24 bytes")
    return key


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One ``v1,…`` signature over ``id.timestamp.body``."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()


def verify(headers: Mapping[str, str], body: bytes, secrets: Iterable[str], *, now: float, tolerance: int) -> str:
    """Checks a request and returns its ``webhook-id``.

    ``now`` is in seconds since 1970, ``tolerance`` in seconds to either side. Any of the secrets will do, so that
    two can be in use while one replaces the other. Raises SignatureRefused.
    """
    message_id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    signatures = headers.get("webhook-signature", "")
    if not (message_id and stamp and signatures):
        raise SignatureRefused("The headers webhook-id, webhook-timestamp and webhook-signature are all needed.")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 16):
        raise SignatureRefused("webhook-timestamp must be whole seconds since 1970.")
    if abs(now - int(stamp)) > tolerance:
        raise SignatureRefused(
            f"webhook-timestamp is more than {tolerance} s away from this server's clock: compare the clocks."
        )
    given = [part.encode() for part in signatures.split(" ")]
    matched = False
    for secret in secrets:
        expected = sign(secret, message_id, int(stamp), body).encode()
        for candidate in given:
            # Every pair is compared, so that the time taken says nothing about which one fitted.
            matched = hmac.compare_digest(expected, candidate) or matched
    if not matched:
        raise SignatureRefused("No signature fits: sender and site need the same secret, and the body unchanged.")
    return message_id
