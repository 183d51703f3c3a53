"""The plant of Acme Berlin and schemas for its plugins, as their config.schema.json would have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bedplate.config import Deployment, PluginSchema, parse
from bedplate.errors import ConfigError

PLANTS = Path(__file__).parent / "plants"

TEXT = {"type": "string"}
HOST = {"type": "string", "x-bedplate-host": True}
SECRET = {"anyOf": [{"type": "string", "format": "password", "writeOnly": True}, {"type": "null"}]}
DURATION = {"type": "string", "x-bedplate-duration": True}
BYTE_ORDER = {"enum": ["ABCD", "CDAB", "BADC", "DCBA"]}
MODBUS_TYPE = {"enum": ["bool", "int16", "uint16", "int32", "uint32", "float32", "float64"]}
REGISTER = {"enum": ["coil", "discrete_input", "holding_register", "input_register"]}
TAG = {"type": "string", "x-bedplate-tag": True}


def object_of(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """As pydantic writes a model: no word on other keys."""
    return {"type": "object", "properties": properties, "required": list(required)}


OPCUA = PluginSchema(
    "opcua",
    "connector",
    ("browse", "read", "subscribe", "write"),
    object_of(
        {
            "endpoint_url": {"type": "string", "pattern": "^opc.tcp://", "x-bedplate-host": True},
            "security_mode": {"enum": ["None", "Sign", "SignAndEncrypt"], "default": "None"},
            "username": TEXT,
            "password": SECRET,
            "address_prefix": TEXT,
            "request_timeout": DURATION,
        },
        "endpoint_url",
    ),
    object_of({"queue_size": {"type": "integer", "minimum": 1}}),
    {"type": "string", "minLength": 1},
)
MODBUS = PluginSchema(
    "modbus",
    "connector",
    ("read", "write"),
    object_of(
        {
            "host": HOST,
            "port": {"type": "integer", "minimum": 1, "maximum": 65535},
            "unit_id": {"type": "integer", "minimum": 0, "maximum": 255},
            "register_type": REGISTER,
            "data_type": MODBUS_TYPE,
            "byte_order": BYTE_ORDER,
        },
        "host",
    ),
    object_of(
        {
            "register_type": REGISTER,
            "data_type": MODBUS_TYPE,
            "byte_order": BYTE_ORDER,
            "unit_id": {"type": "integer", "minimum": 0, "maximum": 255},
        }
    ),
    {
        "anyOf": [
            {
                "type": "integer",
                "minimum": 0,
                "maximum": 65535,
                "not": {"minimum": 40001, "maximum": 49999},
            },
            {"type": "string", "pattern": "^[0134][0-9]{5}$"},
        ],
        "x-bedplate-message": '{value} has two readings: write "4" and five digits in quotes, or count from 0',
    },
)
HELIX = PluginSchema(
    "helix",
    "connector",
    ("read", "write"),
    object_of({"host": HOST, "port": {"type": "integer"}}, "host"),
    {},
    {"type": "integer", "minimum": 0, "maximum": 65535},
)
HISTORY = PluginSchema(
    "history",
    "connector",
    ("deliver", "query"),
    {
        **object_of(
            {"folder": {"type": "string", "format": "path"}, "keep": {"$ref": "#/$defs/Keep"}},
            "folder",
        ),
        "$defs": {
            "Keep": object_of(
                {"age": DURATION, "size": {"type": "string", "x-bedplate-size": True}}
            )
        },
    },
)
MQTT = PluginSchema(
    "mqtt",
    "connector",
    ("deliver",),
    object_of(
        {"broker_url": TEXT, "username": TEXT, "password": SECRET, "clean": {"type": "boolean"}},
        "broker_url",
    ),
)
OEE = PluginSchema(
    "oee",
    "analytic",
    (),
    object_of(
        {
            "state": TEXT,
            "total": TEXT,
            "good": TEXT,
            "running": {"type": "array", "items": TEXT},
            "ideal_rate": {"anyOf": [{"type": "number"}, object_of({"tag": TAG}, "tag")]},
            "calendar": {"type": "string", "x-bedplate-calendar": True},
        },
        "state",
    ),
    inputs=("state", "total", "good"),
)
ALARMS = PluginSchema(
    "alarms",
    "analytic",
    (),
    object_of(
        {
            "limits": {
                "type": "object",
                "additionalProperties": object_of(
                    {
                        "tag": TAG,
                        "high": {"type": "number"},
                        "low": {"type": "number"},
                        "equals": {"type": ["boolean", "number", "string"]},
                        "deadband": {"type": "number"},
                        "on_delay": DURATION,
                        "priority": {"enum": ["low", "medium", "high"]},
                        "do": TEXT,
                    },
                    "tag",
                ),
            }
        }
    ),
)
ACCESS = PluginSchema(
    "access", "security", (), object_of({"roles": {"type": "object", "additionalProperties": TEXT}})
)
CONSOLE = PluginSchema("console", "app", (), object_of({"listen": TEXT, "tls": TEXT}))

ALL = {s.use: s for s in (OPCUA, MODBUS, HELIX, HISTORY, MQTT, OEE, ALARMS, ACCESS, CONSOLE)}


def berlin() -> bytes:
    return (PLANTS / "berlin.yaml").read_bytes()


def table(name: str) -> bytes:
    """The plant's tables."""
    return (PLANTS / name).read_bytes()


def load_text(text: str | bytes, tables: dict[str, str] | None = None) -> Deployment:
    """A deployment from text, with the plant's plugins. tables: instead of the plant's own."""
    content = text if isinstance(text, bytes) else text.encode()

    def read_table(name: str) -> bytes:
        if tables is None:
            return table(name)
        if name not in tables:
            raise FileNotFoundError(2, "No such file or directory")
        return tables[name].encode("utf-8", "surrogateescape")

    return parse(content, "plant.yaml", PLANTS, ALL.get, ALL, read_table)


def wrong(text: str | bytes, tables: dict[str, str] | None = None) -> list[str]:
    """What is wrong with a file, a line each, as people see it."""
    try:
        load_text(text, tables)
    except ConfigError as error:
        return [" ".join(str(problem).split()) for problem in error.problems]
    return []
