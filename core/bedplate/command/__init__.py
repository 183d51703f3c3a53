"""The write guard: whether a command may be sent, once, and what became of it.

Layer between the runtime and what it asks (config, gate): knows no gRPC and no plugin. `Guard` is the way in.
"""

from bedplate.command.command import EDGES, Command, NoSuchCommand, State, Verdict, Wish
from bedplate.command.guard import Guard
from bedplate.command.plant import (
    AuditLog,
    Device,
    Permit,
    Plant,
    Point,
    ReadBack,
    Reading,
    Sending,
    Sent,
)
from bedplate.command.world import Rules, World

__all__ = [
    "EDGES",
    "AuditLog",
    "Command",
    "Device",
    "Guard",
    "NoSuchCommand",
    "Permit",
    "Plant",
    "Point",
    "ReadBack",
    "Reading",
    "Rules",
    "Sending",
    "Sent",
    "State",
    "Verdict",
    "Wish",
    "World",
]
