"""Endpoints: what a server offers, asked over a connection of its own before the session.

Rule: the answer is not authenticated, so nothing is believed but the certificate, and that only once the trust list
(`pki.py`) has it; a forged list of endpoints can prevent a session, never weaken one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from asyncua.client.client import Client
from asyncua.crypto import security_policies

from bedplate_opcua.settings import Config
from bedplate_opcua.stack import answering, not_cancelled

POLICIES: Final[dict[str, Any]] = {
    "Basic256Sha256": security_policies.SecurityPolicyBasic256Sha256,
    "Aes128_Sha256_RsaOaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256_Sha256_RsaPss": security_policies.SecurityPolicyAes256Sha256RsaPss,
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One way in. certificate: DER of the server's, perhaps followed by its chain."""

    policy: str
    mode: str
    certificate: bytes


async def offered(config: Config) -> list[Endpoint]:
    """The endpoints of a server. Raises ConnectionError or TimeoutError."""
    client = Client(config.url, timeout=config.connect_timeout)
    with answering(f"asking {config.host} for its endpoints"):
        descriptions = await client.connect_and_get_server_endpoints()
        not_cancelled()
        return [_endpoint(one) for one in descriptions if _is_binary(one)]


def choose(endpoints: Sequence[Endpoint], config: Config) -> Endpoint:
    """The endpoint with the policy and mode of the settings. Raises ConnectionError that says what there is.

    No Invalid: a controller that is being set up may offer it in a minute.
    """
    for endpoint in endpoints:
        if (endpoint.policy, endpoint.mode) == (config.security_policy, config.security_mode):
            return endpoint
    there = ", ".join(f"{e.policy} {e.mode}".replace("None None", "None") for e in endpoints)
    raise ConnectionError(
        f"{config.host} does not offer {config.security_policy} {config.security_mode}. It offers: "
        f"{there or 'nothing'}. Set security_policy and security_mode to one of these, or enable it in the server"
    )


def _endpoint(description: Any) -> Endpoint:
    policy = str(description.SecurityPolicyUri or "").rpartition("#")[2]
    mode = description.SecurityMode.name.rstrip("_")
    return Endpoint(policy, mode, bytes(description.ServerCertificate or b""))


def _is_binary(description: Any) -> bool:
    return str(description.EndpointUrl or "").startswith("opc.tcp://")
