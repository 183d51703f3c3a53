"""A session with a server: socket, secure channel, login, and how all of it ends.

Owns: connecting in steps, the renewal of the channel's keys, closing within bounds.
Rule: no reconnection. What is lost is reported; the kernel closes and builds a new object. So asyncua's own
supervisor, publish loop and reconnection are not used, and nothing is left behind by an attempt that failed.
Does not know tags or subscriptions, nor decide whom to trust (`endpoint.py`, `pki.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

from asyncua.client.client import Client
from asyncua.crypto.uacrypto import CertProperties, load_certificate, load_private_key

from bedplate import Invalid
from bedplate_opcua.endpoint import POLICIES, Endpoint
from bedplate_opcua.pki import Identity, fingerprint
from bedplate_opcua.settings import Config
from bedplate_opcua.stack import StatusCodeError, answering, code_name, not_cancelled, ua

CLOSE_TIMEOUT: Final = 1.5
CHANNEL_LIFETIME_MS: Final = 3_600_000
RENEW_AT: Final = 0.75
"""Of the channel's lifetime (OPC 10000-4 §5.6.2)."""

LOGIN_REFUSED: Final = {
    "BadUserAccessDenied",
    "BadIdentityTokenRejected",
    "BadIdentityTokenInvalid",
    "BadUserSignatureInvalid",
}
T = TypeVar("T")


class Session:
    """One session. `client` is the asyncua Client, of which only single requests are used."""

    def __init__(self, config: Config, component: str, note: Callable[[str], None]) -> None:
        self.config = config
        self.client: Any = Client(config.url, timeout=config.connect_timeout)
        self.client.name = "Bedplate"
        self.client.description = f"Bedplate {component}"
        self.client.product_uri = "urn:bedplate:opcua"
        self.client.session_timeout = round(config.session_timeout * 1000)
        self.client.secure_channel_timeout = CHANNEL_LIFETIME_MS
        self._note = note
        self._gone = asyncio.Event()
        self._fingerprint = ""
        self._renewal: asyncio.Task[None] | None = None
        # asyncua tells its logger, with tracebacks, what it also raises: nothing for an operator's screen.
        logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)

    @property
    def transport(self) -> Any:
        """asyncua's UASocketProtocol. Raises ConnectionError when there is no connection."""
        protocol = self.client.uaclient.protocol
        if protocol is None:
            raise ConnectionError("there is no connection to the server")
        return protocol

    async def open(self, endpoint: Endpoint | None, identity: Identity | None) -> None:
        """Connects and logs in. Without endpoint and identity there is no security.

        Raises Invalid when the server refuses the login, else ConnectionError or TimeoutError.
        """
        try:
            if endpoint is not None and identity is not None:
                await self._secure(endpoint, identity)
            await self._load_user()
            await self._connect()
            await self._log_in()
        except BaseException:
            await self.close()
            raise
        self.transport.timeout = self.config.request_timeout
        self._renewal = asyncio.create_task(self._renew())

    async def ask(self, what: str, call: Awaitable[T]) -> T:
        """Awaits one request. Raises ConnectionError or TimeoutError that says what was asked."""
        with answering(what):
            return await call

    async def send(self, request: Any, timeout: float | None = None) -> Any:
        """Sends a request and returns the encoded answer, a Buffer. timeout: 0 waits for ever.

        Raises what asyncua raises: for use inside `answering`.
        """
        return await self.transport.send_request(request, timeout)

    async def lost(self) -> None:
        """Raises ConnectionError once the socket is closed or the channel can't be renewed."""
        if self._renewal is not None:
            await asyncio.shield(self._renewal)
        raise ConnectionError("the server closed the connection")

    async def close(self, *, delete: bool = True) -> bool:
        """Closes session, channel and socket; within CLOSE_TIMEOUT if the server is silent. Safe to call again.

        delete: the server shall forget the subscriptions of the session. Returns whether it has said so.
        """
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.wait([self._renewal])
            self._renewal = None
        protocol = self.client.uaclient.protocol
        if protocol is None:
            return False
        try:
            return await self._say_goodbye(delete)
        finally:
            await _drop(protocol)
            self.client.disconnect_socket()

    # steps ---------------------------------------------------------------------------------------------------------

    async def _secure(self, endpoint: Endpoint, identity: Identity) -> None:
        self.client.application_uri = identity.application_uri
        self._fingerprint = fingerprint(identity.certificate)
        with answering("setting up security"):
            await self.client.set_security(
                POLICIES[endpoint.policy],
                CertProperties(identity.certificate, "der"),
                CertProperties(identity.private_key, "pem"),
                server_certificate=CertProperties(endpoint.certificate, "der"),
                mode=getattr(ua.MessageSecurityMode, endpoint.mode),
            )

    async def _load_user(self) -> None:
        config = self.config
        if config.certificate:
            self.client.user_certificate = await _read(
                load_certificate, config.certificate, "/certificate"
            )
            self.client.user_private_key = await _read(
                load_private_key, config.private_key, "/private_key"
            )

    async def _connect(self) -> None:
        host = self.config.host
        with answering(f"connecting to {host}"):
            await self.client.connect_socket()
            not_cancelled()
            self.transport.on_connection_lost = lambda error: self._gone.set()
            await self.client.send_hello()
        with self._explaining_trust(), answering(f"opening a secure channel to {host}"):
            await self.client.open_secure_channel()
        with answering(f"opening a session at {host}"):
            await self.client.create_session()

    @contextlib.contextmanager
    def _explaining_trust(self) -> Iterator[None]:
        """Most servers that do not trust a client just hang up; asyncua loses the reason of the others."""
        try:
            yield
        except ConnectionError as error:
            if not self.config.secure:
                raise
            raise ConnectionError(
                f"{self.config.host} refuses a secure channel; most likely it does not trust our certificate: put "
                f"{self.config.pki}/own/certificate.der (SHA-256 {self._fingerprint}) into its trust list"
            ) from error

    async def _log_in(self) -> None:
        config = self.config
        self._look_after_the_password()
        with answering(f"logging in at {config.host}"):
            try:
                await self.client.activate_session(
                    username=config.username or None,
                    password=config.password.get_secret_value(),
                    certificate=self.client.user_certificate,
                )
            except StatusCodeError as error:
                name = code_name(error.code or 0)
                if name not in LOGIN_REFUSED:
                    raise
                text = f"{config.host} refuses {_who(config)} ({name})"
                raise Invalid(text, pointer=_where(config)) from error

    def _look_after_the_password(self) -> None:
        """A password goes through a channel that can be read only if it is itself encrypted for the server."""
        config = self.config
        if not config.username or config.security_mode == "SignAndEncrypt":
            return
        policy = self.client.server_policy(ua.UserTokenType.UserName).SecurityPolicyUri
        if policy and not policy.endswith("#None"):
            return
        if config.secure:
            raise Invalid(
                "the server wants the password in clear text, and Sign does not hide it; use SignAndEncrypt",
                pointer="/security_mode",
            )
        self._note(f"the password goes to {config.host} in clear text: security_policy is None")

    async def _renew(self) -> None:
        """Renews the channel's keys until the socket is gone. Raises ConnectionError when the server won't."""
        while True:
            try:
                async with asyncio.timeout(self.client.secure_channel_timeout * RENEW_AT / 1000):
                    await self._gone.wait()
                    return
            except TimeoutError:
                with answering("renewing the secure channel"):
                    await self.client.open_secure_channel(renew=True)
                    self.client.uaclient.revolve_security_token()

    async def _say_goodbye(self, delete: bool) -> bool:
        """CloseSession, perhaps with its subscriptions, then CloseSecureChannel: politeness that may fail."""
        closed = False
        with contextlib.suppress(OSError), answering("closing"):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                self.client.uaclient.pre_request_hook = None
                await self.client.uaclient.close_session(delete)
                closed = delete
                await self.client.uaclient.close_secure_channel()
        return closed


async def _drop(protocol: Any) -> None:
    """Ends the socket at once; a peer that reads nothing can't hold it."""
    if protocol.transport is None:
        return
    protocol.transport.abort()
    for _ in range(10):  # the loop tells the protocol in one of its next rounds
        if protocol.is_closed:
            return
        await asyncio.sleep(0)


async def _read(load: Callable[..., Awaitable[Any]], path: str, pointer: str) -> Any:
    try:
        content = Path(path).read_bytes()
        pem = content.lstrip().startswith(b"-----BEGIN")
        return await load(content, extension="pem" if pem else "der")
    except (OSError, ValueError, TypeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Invalid(f"{path} can't be used: {reason}", pointer=pointer) from error


def _who(config: Config) -> str:
    if config.username:
        return f"user {config.username!r} with this password"
    return "the user certificate" if config.certificate else "anonymous users: set username"


def _where(config: Config) -> str:
    if config.username:
        return "/password"
    return "/certificate" if config.certificate else "/username"
