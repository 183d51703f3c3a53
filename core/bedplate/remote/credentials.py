"""A folder with ca.pem, cert.pem and key.pem: one side of mutual TLS, checked before anything is contacted.

Rule: whatever is wrong is told in one sentence that names the file. The check is a handshake with itself in memory, so
that chain, dates, key and purpose are judged by the TLS library and not by code of ours. Makes no certificates.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bedplate.errors import AdmissionError
from bedplate.listening.reasons import told

PLACE = "bedplate:place:"  # the URI among a certificate's alternative names that says which place it is for
FILES = ("ca.pem", "cert.pem", "key.pem")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The files of one side. place: what the certificate says it is for, "" for a kernel's."""

    folder: Path
    place: str = ""

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def cert(self) -> Path:
        return self.folder / "cert.pem"

    @property
    def key(self) -> Path:
        return self.folder / "key.pem"

    def serving(self) -> ssl.SSLContext:
        """For the kernel: nobody comes in without a certificate of this CA. Read anew, so that new files count."""
        context = loaded(self, self.ca, server=True)
        context.verify_mode = ssl.CERT_REQUIRED
        context.set_alpn_protocols(["h2"])
        return context

    def dialling(self) -> ssl.SSLContext:
        """For a place: the kernel must have a certificate of this CA for the host that was dialled."""
        return loaded(self, self.ca, server=False)


def credentials(folder: Path, *, server: bool) -> Credentials:
    """The checked files of a kernel (server) or of a place. Raises AdmissionError with one sentence."""
    files = [folder / name for name in FILES]
    for file in files:
        check_file(file, secret=file.name == "key.pem")
    found = Credentials(folder)
    peer = rehearsed(found, server=server)
    if server:
        return found
    place = place_of(peer)
    if not place:
        raise AdmissionError(
            f"{found.cert}: names no place; its subject alternative name must hold URI:{PLACE}NAME"
        )
    return Credentials(folder, place)


def place_of(certificate: Mapping[str, Any]) -> str:
    """The place that a certificate (as ssl.getpeercert gives it) is for; "" for none or for more than one."""
    names = [name for kind, name in certificate.get("subjectAltName", ()) if kind == "URI"]
    places = [name.removeprefix(PLACE) for name in names if name.startswith(PLACE)]
    return places[0] if len(places) == 1 else ""


def check_file(file: Path, *, secret: bool) -> None:
    """Raises AdmissionError for one that is missing, or that others could have changed, or read if it is secret."""
    try:
        found = file.stat()
    except OSError as error:
        raise AdmissionError(f"{file}: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise AdmissionError(f"{file}: is no file")
    if found.st_uid not in (0, os.geteuid()):
        raise AdmissionError(f"{file}: belongs to another user; chown it to the one that runs this")
    if secret and found.st_mode & 0o077:
        raise AdmissionError(
            f"{file}: others may read this key; chmod 600 it and think of a new one"
        )
    if found.st_mode & 0o022:
        raise AdmissionError(f"{file}: others may change it; chmod 644 it")


def loaded(files: Credentials, trusted: Path | None, *, server: bool) -> ssl.SSLContext:
    """With certificate and key. trusted: certificates that others are judged by. Raises AdmissionError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if trusted:
            context.load_verify_locations(trusted)
    except ssl.SSLError:
        raise AdmissionError(f"{trusted}: holds no certificate") from None
    try:
        context.load_cert_chain(files.cert, files.key, password=_no_password)
    except ssl.SSLError as error:
        told = {"KEY_VALUES_MISMATCH": f"does not belong to the key in {files.key.name}"}
        why = told.get(error.reason or "", f"or {files.key.name} cannot be read as PEM")
        raise AdmissionError(f"{files.cert}: {why}") from None
    except ValueError:
        raise AdmissionError(f"{files.key}: asks for a password; write it without one") from None
    return context


def _no_password() -> str:
    raise ValueError("a password")


def rehearsed(files: Credentials, *, server: bool, alone: bool = False) -> dict[str, Any]:
    """The certificate as its peer will see it. alone: whoever made it. Raises AdmissionError when no peer would take
    it."""
    trusted = files.cert if alone else files.ca
    serving = loaded(files, trusted, server=True)
    dialling = loaded(files, trusted, server=False)
    if alone:
        dialling.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    dialling.check_hostname = False
    dialling.verify_mode = ssl.CERT_REQUIRED if server else ssl.CERT_NONE
    serving.verify_mode = ssl.CERT_NONE if server else ssl.CERT_REQUIRED
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        dialling.wrap_bio(back, there, server_side=False),
        serving.wrap_bio(there, back, server_side=True),
    ]
    try:
        for _ in range(4):
            for end in ends:
                _step(end)
    except ssl.SSLCertVerificationError as error:
        raise AdmissionError(f"{files.cert}: {told(error)}") from None
    except ssl.SSLError as error:
        raise AdmissionError(f"{files.cert}: cannot be used for TLS: {error.reason}") from None
    return ends[0 if server else 1].getpeercert() or {}


def _step(end: ssl.SSLObject) -> None:
    with contextlib.suppress(ssl.SSLWantReadError):
        end.do_handshake()
