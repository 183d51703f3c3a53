"""Certificates for one run of the kit, so that the remote placement can be tried: made by the openssl command."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from bedplate.errors import BedplateError

KERNEL, PLACE = "tls-kernel", "tls-place"
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
SIDES = {
    KERNEL: "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n",
    PLACE: "subjectAltName=URI:bedplate:place:kit\nextendedKeyUsage=clientAuth\n",
}


def can_make() -> bool:
    """Whether this machine has the command."""
    return shutil.which("openssl") is not None


def make_certificates(folder: Path) -> Path:
    """Two folders with ca.pem, cert.pem and key.pem, good for two days. Returns the kernel's. Raises BedplateError."""
    authority = folder / "tls-ca"
    authority.mkdir()
    ca, ca_key = authority / "ca.pem", authority / "ca.key"
    name = ("-subj", "/CN=bedplate conformance", "-days", "2")
    _openssl("req", "-x509", *KEY, "-keyout", str(ca_key), "-out", str(ca), *name)
    for side, extensions in SIDES.items():
        place = folder / side
        place.mkdir(mode=0o700)
        request, wanted = place / "request.pem", place / "extensions"
        wanted.write_text(extensions)
        _openssl(
            *("req", *KEY, "-keyout", str(place / "key.pem"), "-out", str(request)),
            *("-subj", f"/CN={side}"),
        )
        _openssl(
            *("x509", "-req", "-in", str(request), "-CA", str(ca), "-CAkey", str(ca_key)),
            *("-CAcreateserial", "-days", "2", "-extfile", str(wanted)),
            *("-out", str(place / "cert.pem")),
        )
        (place / "ca.pem").write_bytes(ca.read_bytes())
        (place / "key.pem").chmod(0o600)
    return folder / KERNEL


def _openssl(*words: str) -> None:
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise BedplateError(f"openssl {words[0]}: {said[-1] if said else 'failed'}")
