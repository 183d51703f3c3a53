"""A plugin that has secrets and talks about them in every way it can. A single file, as an author would write one."""

from __future__ import annotations

import base64
import faulthandler
import os
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from bedplate import Bad, Connector, Invalid


class Config(BaseModel):
    """folder: where it writes down what it was opened with · how: what it does with it."""

    folder: str = ""
    how: str = ""
    password: SecretStr = SecretStr("")
    other: SecretStr = SecretStr("")


class Keeper(Connector):
    """Writes the secret of each session into a file of its name, for the test alone."""

    Config = Config

    async def open(self) -> None:
        self.secret = self.config.password.get_secret_value()
        if self.config.folder:
            with (Path(self.config.folder) / f"{self.component}.opened").open("a") as out:
                print(self.secret, file=out)
        if self.config.how == "picky" and self.secret.startswith("wrong"):
            raise Invalid(f"the password {self.secret} is not right", pointer="/password")
        if self.config.how == "raise in open":
            raise RuntimeError(f"can't log in with {self.config.model_dump()} as {self.secret}")
        if self.config.how == "unreachable":
            raise ConnectionError(f"mqtts://user:{self.secret}@broker is away")
        if self.config.how == "crash":
            sys.stdout.write(f"{vars(self)} {self.config!r}\n{self.secret}")
            sys.stdout.flush()
            faulthandler.enable()
            os.abort()
        if self.config.how == "print":
            for text in (
                self.secret,
                repr(self.secret.encode()),
                self._basic(),
                self.secret.encode().hex(),
            ):
                print(f"logging in with {text}", file=sys.stderr, flush=True)
            os._exit(3)

    def _basic(self) -> str:
        return base64.b64encode(f"user:{self.secret}".encode()).decode()

    async def read(self, tags: list[Any]) -> list[Any]:
        if self.config.how == "bad":
            return [Bad(f"refused {self._basic()} and {self.secret}") for _ in tags]
        if self.config.how == "note":
            self.note(f"logged in as {self.secret}")
        if self.config.how == "raise in read":
            raise ValueError(f"{self.config!r} {self.secret}")
        return [1.0 for _ in tags]
