"""A certificate authority for the time of a test, and folders as `plugins.tls` and `attach --tls` want them."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK = ipaddress.IPv4Address("127.0.0.1")
DAY = datetime.timedelta(days=1)


class Authority:
    """Signs what it is asked to, good or bad."""

    def __init__(self, name: str = "test CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._cert = self._signed(
            self._name,
            self._key.public_key(),
            x509.BasicConstraints(ca=True, path_length=0),
        )

    def _signed(
        self,
        name: x509.Name,
        key: object,
        *extensions: x509.ExtensionType,
        days: int = 1,
        begins: int = -2,
    ):  # type: ignore[no-untyped-def]
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)  # type: ignore[arg-type]
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins * DAY)
            .not_valid_after(now + days * DAY)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def kernel(
        self, folder: Path, *, days: int = 1, address: ipaddress.IPv4Address = LOOPBACK
    ) -> Path:
        """For the kernel, at this address."""
        names = [x509.IPAddress(address)]
        return self._folder(folder, names, ExtendedKeyUsageOID.SERVER_AUTH, days)

    def place(self, folder: Path, name: str, *, days: int = 1, begins: int = -2) -> Path:
        """For a place; "" for one that names none."""
        names = [x509.UniformResourceIdentifier(f"bedplate:place:{name}" if name else "urn:x")]
        return self._folder(folder, names, ExtendedKeyUsageOID.CLIENT_AUTH, days, begins)

    def _folder(
        self,
        folder: Path,
        names: list[x509.GeneralName],
        use: x509.ObjectIdentifier,
        days: int,
        begins: int = -2,
    ) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        cert = self._signed(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, folder.name)]),
            key.public_key(),
            x509.SubjectAlternativeName(names),
            x509.ExtendedKeyUsage([use]),
            days=days,
            begins=begins,
        )
        pem = serialization.Encoding.PEM
        secret = key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        for file, content in (
            ("ca.pem", self._cert.public_bytes(pem)),
            ("cert.pem", cert.public_bytes(pem)),
            ("key.pem", secret),
        ):
            (folder / file).unlink(missing_ok=True)
            (folder / file).touch(mode=0o600)
            (folder / file).write_bytes(content)
        return folder
