"""Secrets that stand in manuals and templates: whoever left one has not set it yet, so nothing starts with it.

Rule: only what is nobody's own is on the list, since the password of a machine may be a bad one and not ours to change.
What can't be resolved now is told by the component that wants it. Never repeats the secret.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from bedplate.config import Deployment
from bedplate.config.secrets import SecretError, Secrets, references
from bedplate.errors import Problem

PLACEHOLDERS = frozenset(
    {
        *("changeme", "changethis", "changeit", "replaceme", "fillmein", "todo", "tbd", "fixme"),
        *("password", "passwort", "secret", "mysecret", "mypassword", "supersecret", "topsecret"),
        *("password1", "password123", "password1234", "secret123", "changeme123", "letmein"),
        *("example", "examplepassword", "examplesecret", "exampletoken", "exampleonly", "sample"),
        *("default", "defaultpassword", "defaultsecret", "bedplate", "bedplatesecret", "dummy"),
        *("yourpassword", "yourpasswordhere", "yoursecret", "yoursecrethere", "yourtoken"),
        *("yourtokenhere", "yourkeyhere", "yourapikey", "yourapikeyhere", "insertyourtokenhere"),
        *("your256bitsecret", "correcthorsebatterystaple", "hunter2", "s3cr3t", "p4ssw0rd"),
    }
)


def placeholders(deployment: Deployment) -> list[Problem]:
    """One for each component and reference whose secret is one of them."""
    return [*dict.fromkeys(_found(deployment))]


def is_placeholder(secret: str) -> bool:
    """Whether it is on the list, however it is written; or nothing but x, * and the like."""
    bare = "".join(one for one in secret.casefold() if one.isalnum())
    return bare in PLACEHOLDERS or (len(secret) > 2 and set(secret.casefold()) <= set("x*.-_<>"))


def _found(deployment: Deployment) -> Iterator[Problem]:
    identity = deployment.secrets.identity
    secrets = Secrets(
        deployment.source.folder,
        os.environ,
        identity=deployment.folder(identity) if identity else None,
    )
    for component in deployment.components:
        for reference in references(component.settings):
            if is_placeholder(_resolved(secrets, reference)):
                text = f"secret {reference} is a word of manuals that everybody tries first: set one of your own"
                yield Problem(component.file, component.line, component.id, text)


def _resolved(secrets: Secrets, reference: str) -> str:
    try:
        return secrets.resolve(reference).reveal()
    except SecretError:
        return ""
