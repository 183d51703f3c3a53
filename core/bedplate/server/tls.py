"""TLS of the API: its folder of files, judged before anything starts, and a context for each new handshake.

cert.pem and key.pem are the kernel's. ca.pem, where there is one, says whose client certificates are good: one that is
shown must be, none need be shown. Files that change count for the next handshake; connections that stand are not
touched, so that renewing a certificate or rotating the CA drops no stream. Files that are wrong meanwhile do not count.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

from bedplate.admission.candidate import Offer
from bedplate.config import Deployment
from bedplate.errors import AdmissionError, BedplateError
from bedplate.gate.listen import listen_problem
from bedplate.listening.alerts import Alerting
from bedplate.remote.credentials import Credentials, check_file, loaded, rehearsed

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:@SECLEVEL=2"  # of TLS 1.2; all of TLS 1.3 are good; RSA of 2048 bit


class ApiTls:
    """problem: what is wrong with the files that are there now, in a sentence; empty when they count."""

    def __init__(self, folder: Path) -> None:
        """Raises AdmissionError with one sentence that names the file."""
        self._files = Credentials(folder)
        self.problem = ""
        self._seen = self._look()
        self._context = self._made()

    @property
    def verifies(self) -> bool:
        """Whether a client can show a certificate."""
        return self._files.ca.exists()

    def context(self) -> ssl.SSLContext:
        """For the next handshake."""
        seen = self._look()
        if seen != self._seen:
            self._seen, self.problem = seen, ""
            try:
                self._context = self._made()
            except AdmissionError as error:
                self.problem = f"api.tls: {error}; until that is mended the old files count"
        return self._context

    def _look(self) -> list[tuple[int, ...]]:
        found: list[tuple[int, ...]] = []
        for file in (self._files.ca, self._files.cert, self._files.key):
            try:
                stat = file.stat()
            except OSError:
                found.append((0,))
            else:
                found.append((stat.st_mtime_ns, stat.st_ino, stat.st_size, stat.st_mode))
        return found

    def _made(self) -> ssl.SSLContext:
        files = self._files
        for file in (files.cert, files.key, *([files.ca] if self.verifies else [])):
            check_file(file, secret=file == files.key)
        context = loaded(files, files.ca if self.verifies else None, server=True)
        context.sslobject_class = Alerting
        context.set_ciphers(CIPHERS)
        context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        context.num_tickets = 0  # a session that goes on later would be asked for no certificate
        context.set_alpn_protocols(["h2"])
        rehearsed(files, server=True, alone=True)
        if self.verifies:
            context.verify_mode = ssl.CERT_OPTIONAL
        return context


def api_tls(deployment: Deployment, listen: str, offers: Mapping[str, Offer]) -> ApiTls | None:
    """The TLS of this deployment's API, None for none. Raises BedplateError in one sentence where the API must not
    listen like that."""
    written = deployment.api.tls
    try:
        tls = ApiTls(deployment.folder(written)) if written else None
    except AdmissionError as error:
        raise BedplateError(f"api.tls: {error}") from None
    guards = [offers.get(component.use) for component in deployment.of_kind("security")]
    known = any(offer and "authenticate" in offer.capabilities for offer in guards)
    knows = known or (tls is not None and tls.verifies)
    if problem := listen_problem(listen, written, knows_clients=knows):
        raise BedplateError(f"api.listen: {problem}")
    return tls
