"""Who comes in: where the API listens, and what it says to whoever brings nothing. Dials the kernel that runs."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path

from bedplate.cli.controls.scene import Proof, Scene, held, told, weak
from bedplate.errors import AdmissionError, BedplateError, CallError
from bedplate.gate.listen import listen_problem
from bedplate.remote.credentials import Credentials, rehearsed

WITHIN = 3.0  # s that an answer may take
SOON = 21  # days


def listening(scene: Scene) -> Iterator[Proof]:
    """The file says where."""
    deployment = scene.deployment
    listen, tls = deployment.api.listen, deployment.api.tls
    guards = [scene.offers.get(one.use) for one in deployment.of_kind("security")]
    users = any(offer and "authenticate" in offer.capabilities for offer in guards)
    clients = users or bool(tls and (deployment.folder(tls) / "ca.pem").exists())
    tried = f"api.listen is {listen}"
    if problem := listen_problem(listen, tls, knows_clients=clients):
        yield weak("api-listen", tried, problem, f"bedplate run refuses it: {listen}")
        return
    how = "TLS, and callers are known" if tls else "this machine alone, in the clear"
    yield held("api-listen", tried, how)
    if not users:
        came = "none: whoever has the one token of this user is admin"
        yield told("users", "security modules that know users", came)


def certificates(scene: Scene) -> Iterator[Proof]:
    for word, written in _tls_folders(scene):
        yield _certificate(word, Credentials(scene.deployment.folder(written)), scene.now())


def _tls_folders(scene: Scene) -> Iterator[tuple[str, str]]:
    deployment = scene.deployment
    words = {"api.tls": deployment.api.tls, "plugins.tls": deployment.plugins.tls}
    yield from ((word, written) for word, written in words.items() if written)


def _certificate(word: str, files: Credentials, now: float) -> Proof:
    tried = f"a handshake with {files.cert}"
    renew = f"bedplate access cert renew {files.folder}, or ask whoever made it"
    try:
        shown = rehearsed(files, server=True, alone=True)
    except (AdmissionError, OSError) as error:
        return weak("certificate", tried, f"{word}: {error}", renew)
    days = int((ssl.cert_time_to_seconds(shown["notAfter"]) - now) // 86_400)
    if days < SOON:
        return weak("certificate", tried, f"{word}: {days} days left", renew)
    return held("certificate", tried, f"{word}: {days} days left")


def knocking(scene: Scene) -> Iterator[Proof]:
    """What the kernel that runs does, not what the file says."""
    if scene.running is None:
        yield told(
            "knock", "a call without a credential", "not tried: its kernel does not run here"
        )
        return
    address = scene.running.address
    yield _without_credential(scene, address)
    if scene.running.tls:
        yield _old_tls(address)
    yield _second_bind(address)
    yield _admin_socket(Path(scene.running.socket))


def _without_credential(scene: Scene, address: str) -> Proof:
    from bedplate.client.client import Client
    from bedplate.client.link import Tls

    tried = f"Status at {address} without a credential"
    endpoint = scene.running
    assert endpoint
    tls = None
    if endpoint.tls:
        folder = scene.deployment.folder(scene.deployment.api.tls)
        found = [file for file in (endpoint.ca, str(folder / "ca.pem")) if file]
        tls = Tls(next((file for file in found if Path(file).exists()), str(folder / "cert.pem")))
    client = Client(address, tls=tls)
    try:
        client.status()
    except CallError as error:
        if error.code == "UNAUTHENTICATED":
            return held("knock", tried, error.code)
        return told("knock", tried, f"not tried: {str(error).splitlines()[0]}")
    finally:
        client.close()
    return weak("knock", tried, "it was answered", "do not run this Bedplate; tell its authors")


def _old_tls(address: str) -> Proof:
    tried = f"TLS 1.1 at {address}"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is the point
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        with _dialled(address) as plain, context.wrap_socket(plain):
            pass
    except (OSError, ssl.SSLError) as error:
        return held("old-tls", tried, f"refused: {getattr(error, 'reason', None) or error}")
    return weak("old-tls", tried, "a handshake", "do not run this Bedplate; tell its authors")


def _dialled(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((_host(host), int(port)), WITHIN)


def _host(host: str) -> str:
    """Where something that listens everywhere is dialled from here."""
    return {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))


def _second_bind(address: str) -> Proof:
    tried = f"binding {address} a second time, with SO_REUSEPORT"
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as second:
        second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            second.bind((host.strip("[]"), int(port)))
        except OSError as error:
            return held("second-bind", tried, error.strerror or "refused")
    return weak("second-bind", tried, "taken", "do not run this Bedplate; tell its authors")


def _admin_socket(path: Path) -> Proof:
    tried = f"the folder of {path.name}"
    try:
        mode = path.parent.stat().st_mode & 0o777
    except OSError as error:
        return told("admin-socket", tried, f"not tried: {error.strerror}")
    if mode & 0o077:
        do = f"chmod 700 {path.parent}"
        return weak("admin-socket", tried, f"{path.parent} has mode {mode:04o}", do)
    return held("admin-socket", tried, f"{path.parent} has mode {mode:04o}")


def remote_plugins(scene: Scene) -> Iterator[Proof]:
    plugins = scene.deployment.plugins
    if not plugins.listen:
        return
    tried = f"plugins.listen is {plugins.listen}"
    try:
        from bedplate.remote.credentials import credentials

        credentials(scene.deployment.folder(plugins.tls), server=True)
    except BedplateError as error:
        yield weak(
            "plugins-listen", tried, f"plugins.tls: {error}", "docs/how-to/remote-plugins.md"
        )
        return
    yield held("plugins-listen", tried, "TLS, and nobody comes in without a certificate")
