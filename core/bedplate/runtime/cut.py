"""A cut between the kernel and a program elsewhere, as one component sees it: bridged for a while, then a loss.

While it is bridged the component stays what it was: nothing is marked, counted or told, since the program goes on and
what it has is coming. A program that was started anew in the meantime is a loss however quickly it came.
"""

from __future__ import annotations

import asyncio

from bedplate.remote.arrivals import resumes
from bedplate.remote.attachment import Attachment
from bedplate.runtime.placement import Place
from bedplate.runtime.remote import ARRIVES_WITHIN


class Cut:
    """Of one component. The supervisor tells what happens."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._attachment: Attachment | None = None  # of the session, None while one is waited for
        self._instance = ""
        self._until = 0.0  # time of the loop; 0: no cut

    def waits(self) -> None:
        """A session is to begin."""
        self._attachment = None

    def arrived(self, attachment: Attachment) -> bool:
        """A stream is there. Whether a cut ended with another program than the one before."""
        self._attachment = attachment
        return bool(self._until) and _instance(attachment) != self._instance

    def opened(self, attachment: Attachment) -> None:
        """The component is served on it."""
        self._instance, self._until = _instance(attachment), 0.0

    def began(self) -> bool:
        """Its session ended. Whether by a cut that may be bridged."""
        if not (self.away and resumes(self._attachment)):
            return False
        self._until = asyncio.get_running_loop().time() + ARRIVES_WITHIN
        return True

    @property
    def away(self) -> bool:
        """Whether what ended it is that its program, elsewhere, has no stream: nobody's fault."""
        return self._place.away(self._attachment)

    @property
    def bridged(self) -> bool:
        """Whether that is so only for a moment."""
        return self.away and asyncio.get_running_loop().time() < self._until


def _instance(attachment: Attachment) -> str:
    return attachment.hello.instance if attachment.hello is not None else ""
