"""What an operator may set. No setting is a secret: whoever is known stands in the folder, or is told by an issuer."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from bedplate.settings import CalendarName, Duration, FileName

Role = Literal["viewer", "operator", "engineer", "admin", "auditor", "plugin"]
ROLES: tuple[str, ...] = get_args(Role)
Algorithm = Literal[
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
]
_ROLE = {"type": "string", "enum": list(ROLES)}
Roles = Annotated[
    list[Role],
    BeforeValidator(lambda v: [v] if isinstance(v, str) else v),
    WithJsonSchema({"anyOf": [_ROLE, {"type": "array", "items": _ROLE}]}),
]
FOLDER = "data/access"
LOOPBACK = ("http://127.0.0.1:", "http://[::1]:", "http://localhost:")


class Oidc(BaseModel):
    """An issuer whose signed tokens (JWT) are believed."""

    model_config = ConfigDict(extra="forbid")

    issuer: str = Field(description="`iss` of its tokens, letter by letter", min_length=1)
    audience: str = Field(description="`aud` that a token must name: this Bedplate", min_length=1)
    jwks: FileName | None = Field(
        None, description="its keys as a file, for a plant without a way out"
    )
    jwks_url: str | None = Field(
        None, description="its keys by https; a new key is found by itself"
    )
    ca: FileName | None = Field(None, description="PEM of the CA of jwks_url, if no public one")
    groups_claim: str = Field("groups", description="claim that holds the groups of a person")
    name_claim: str = Field("sub", description="claim that is the person's name here")
    algorithms: list[Algorithm] = Field(
        ["RS256", "PS256", "ES256", "Ed25519", "EdDSA"],
        description="what a token may be signed with; never a shared secret, never nothing",
        min_length=1,
    )

    @field_validator("jwks_url")
    @classmethod
    def _safe(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("https://", *LOOPBACK)):
            raise ValueError("must be https: who can change these keys can be anybody")
        return url

    @model_validator(mode="after")
    def _one(self) -> Oidc:
        if (self.jwks is None) == (self.jwks_url is None):
            raise ValueError("needs one of jwks (a file) and jwks_url")
        return self


class Config(BaseModel):
    """Settings of `use: access`."""

    model_config = ConfigDict(extra="forbid")

    folder: FileName = Field(FOLDER, description="where users, tokens and certificates are kept")
    roles: dict[str, Roles] = Field(
        {}, description="group of a directory or an issuer → role or roles here"
    )
    certificates: dict[str, Roles] = Field(
        {},
        description='certificates of your own CA: subject, such as "CN=mes", → role or roles',
    )
    policies: list[FileName] = Field(
        [], description="files of Cedar policies; a change of them counts once it is applied"
    )
    ready_made: bool = Field(
        True, description="whether the policies of the roles are in force beside yours"
    )
    calendar: CalendarName | None = Field(
        None, description="whose shifts policies name as context.shift, and whose time zone"
    )
    oidc: Oidc | None = Field(
        None, description="an OpenID Connect issuer whose tokens are believed"
    )
    idle: Duration = Field(
        900.0, description="a login ends after so long without a call", ge=60, le=3600
    )
    longest: Duration = Field(
        43200.0, description="a login ends after so long in any case", ge=300, le=86400
    )

    @field_validator("certificates")
    @classmethod
    def _subjects(cls, value: dict[str, list[Role]]) -> dict[str, list[Role]]:
        for subject in value:
            if "CN=" not in subject.replace(" ", ""):
                raise ValueError(f"{subject!r} must name the CN of a subject, such as CN=mes")
        return value
