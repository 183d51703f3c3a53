"""Settings of an OPC UA component: what may stand in the deployment file, and how its parts go together.

Rule: secure unless the file says otherwise. Without a word about security it is Basic256Sha256, SignAndEncrypt.
Does not look at files or the network.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic.json_schema import SkipJsonSchema

from bedplate.settings import Duration

Policy = Literal["None", "Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"]
Mode = Literal["None", "Sign", "SignAndEncrypt"]

DEFAULT_PORT: Final = 4840
ENDPOINT = r"^opc\.tcp://(\[[0-9a-fA-F:.]+\]|[^\s/:@\[\]]+)(:\d{1,5})?(/\S*)?$"


def _positive(seconds: float) -> float:
    if not 0 < seconds < 86_400:
        raise ValueError("must be more than 0 and less than a day")
    return seconds


Positive = Annotated[Duration, AfterValidator(_positive)]
Sampling = Annotated[
    Duration, AfterValidator(lambda seconds: _positive(seconds) if seconds else 0.0)
]


class Config(BaseModel):
    """Settings of one OPC UA server."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "dependentRequired": {
                "password": ["username"],
                "certificate": ["private_key"],
                "private_key": ["certificate"],
            }
        },
    )

    endpoint_url: str = Field(
        pattern=ENDPOINT,
        description="Where the server listens: opc.tcp://host:4840/path. Without a port it is 4840.",
    )
    security_policy: Policy = Field(
        "Basic256Sha256",
        description="How messages are signed and encrypted. None only for a server that can't do better.",
    )
    security_mode: Mode | SkipJsonSchema[None] = Field(
        None,
        description="Sign, or SignAndEncrypt (the default unless security_policy is None).",
    )
    username: str = Field(
        "", description="Log in as this user. Without it, and without a certificate: anonymous."
    )
    password: SecretStr = Field(
        SecretStr(""), description="Password of username; a reference to a secret."
    )
    certificate: str = Field(
        "", description="File with the user's X.509 certificate (DER or PEM), to log in with it."
    )
    private_key: str = Field(
        "", description="File with the private key of certificate (PEM or DER, no password)."
    )
    pki: str = Field(
        "data/pki",
        description="Folder with own, trusted, issuers, rejected: our certificate, and those of servers.",
    )
    application_uri: str = Field(
        "",
        description="Name of this client. Default: that in the certificate in own, or urn:<host>:bedplate.",
    )
    address_prefix: str = Field(
        "",
        description="Put before every address of a tag that does not begin like a NodeId: 'nsu=http://vendor.example/;s='.",
    )
    publishing_interval: Positive | SkipJsonSchema[None] = Field(
        None,
        description="How often the server sends what changed. Default: the shortest scan of the tags, at most 1s.",
    )
    sampling_interval: Sampling | SkipJsonSchema[None] = Field(
        None,
        description="How often the server looks at a value; 0s: as fast as it can. Default: the scan of the tag.",
    )
    queue_size: int = Field(
        10,
        gt=1,
        le=10_000,
        description="Values the server keeps per tag between two publishings; more where sampling is much faster.",
    )
    connect_timeout: Positive = Field(
        10.0, description="Time for each step of connecting and logging in."
    )
    request_timeout: Positive = Field(
        3.0, description="Time for an answer; a server that takes longer is lost."
    )
    session_timeout: Positive = Field(
        60.0, description="The server forgets a session it hears nothing of for so long."
    )
    max_items_per_request: int = Field(
        500,
        ge=1,
        le=10_000,
        description="Nodes in one request at most; the limits that the server states bind as well.",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Config:
        if self.security_mode == "None" and "security_policy" not in self.model_fields_set:
            self.security_policy = "None"
        if self.security_mode is None:
            self.security_mode = "None" if self.security_policy == "None" else "SignAndEncrypt"
        if (self.security_policy == "None") != (self.security_mode == "None"):
            raise ValueError("security_policy and security_mode are None together or not at all")
        if bool(self.certificate) != bool(self.private_key):
            raise ValueError("certificate and private_key belong together")
        if self.username and self.certificate:
            raise ValueError("log in either with username or with certificate, not with both")
        if self.password.get_secret_value() and not self.username:
            raise ValueError("password needs username")
        return self

    @property
    def url(self) -> str:
        """endpoint_url with its port."""
        parts = urlsplit(self.endpoint_url)
        if parts.port is not None:
            return self.endpoint_url
        return re.sub(r"^(opc\.tcp://[^/]+)", rf"\1:{DEFAULT_PORT}", self.endpoint_url)

    @property
    def host(self) -> str:
        return urlsplit(self.endpoint_url).hostname or ""

    @property
    def secure(self) -> bool:
        return self.security_policy != "None"
