"""Who may come in to the line's OPC UA server, and how.

Owns: the security settings and their translation into those of asyncua.
Rule: open by default, as it listens on loopback only; every restriction is asked for.
Does not make certificates.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncua.ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
from asyncua.server.server import Server
from asyncua.server.user_managers import UserManager

ua: Any = asyncua.ua  # its re-exports are not declared, which strict type checking minds

APPLICATION_URI: Final = "urn:bedplate:simline:server"


@dataclass(frozen=True, slots=True)
class Security:
    """How clients may come in. Without a certificate: policy None only.

    With `certificate` and `private_key` (PEM or DER): Basic256Sha256, Sign and SignAndEncrypt, and
    None too unless `encrypted_only`. With `user` and `password` nobody else gets in. With
    `trusted`, a folder of certificates, other clients' certificates are refused.
    """

    certificate: Path | None = None
    private_key: Path | None = None
    trusted: Path | None = None
    encrypted_only: bool = False
    user: str | None = None
    password: str | None = None
    application_uri: str = APPLICATION_URI


class _OneUser(UserManager):
    """Lets in exactly one name and password."""

    def __init__(self, user: str, password: str | None) -> None:
        self._known = (user, password)

    def get_user(
        self,
        iserver: Any,
        username: str | None = None,
        password: str | None = None,
        certificate: Any = None,
    ) -> User | None:
        known = (username, password) == self._known
        return User(role=UserRole.User, name=username) if known else None


async def secure(server: Server, security: Security) -> None:
    """Apply `security` to a server that has not started.

    Raises OSError or ValueError for a certificate or key that cannot be read.
    """
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # a client's mistake is no news here
    await server.set_application_uri(security.application_uri)
    policies = [] if security.encrypted_only else [ua.SecurityPolicyType.NoSecurity]
    if security.certificate is not None and security.private_key is not None:
        await server.load_certificate(security.certificate)
        await server.load_private_key(security.private_key)
        policies.append(ua.SecurityPolicyType.Basic256Sha256_Sign)
        policies.append(ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt)
    server.set_security_policy(policies)
    if security.trusted is not None:
        await _trust_only(server, security.trusted)
    if security.user is None:
        server.set_identity_tokens([ua.AnonymousIdentityToken])
    else:
        server.set_identity_tokens([ua.UserNameIdentityToken])
        server.iserver.set_user_manager(_OneUser(security.user, security.password))


async def _trust_only(server: Server, folder: Path) -> None:
    store = TrustStore([folder], [])
    await store.load()
    options = CertificateValidatorOptions
    checks = options.BASIC_VALIDATION | options.TRUSTED | options.PEER_CLIENT
    server.set_certificate_validator(CertificateValidator(checks, store).validate)
