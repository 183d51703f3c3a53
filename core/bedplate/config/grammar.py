"""The kernel's own words of the deployment file, as JSON Schema (2020-12): one source for `check` and for editors.

Annotations, for plugins' schemas too: x-bedplate-duration · -size · -rate (text of that form) · -host (a host, or a URL
with one) · -calendar (name of one) · -tag (name of a tag of the asset) · -selector · -secret or writeOnly (only
{secret: …}) · -message (what to say when this schema fails; {value} is filled in).
"""

from __future__ import annotations

from typing import Any


def _mapping(entries: dict[str, Any], *required: str, others: Any = False) -> dict[str, Any]:
    schema = {"type": "object", "properties": entries, "additionalProperties": others}
    return schema | ({"required": list(required)} if required else {})


def _list(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def _one_of(*words: str) -> dict[str, Any]:
    return {"enum": list(words)}


_TEXT = {"type": "string", "minLength": 1}
_BOOL = {"type": "boolean"}
_NUMBER = {"type": "number"}
_PAIR = _list(_NUMBER, minItems=2, maxItems=2)
_DURATION = {"type": "string", "x-bedplate-duration": True}
_SIZE = {"type": "string", "x-bedplate-size": True}
_CALENDAR = {"type": "string", "x-bedplate-calendar": True}
_SELECTORS = _list({"type": "string", "x-bedplate-selector": True}, minItems=1)
_TIME = {
    "type": "string",
    "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$",
    "x-bedplate-message": "{value} is no time of day, such as 06:00",
}
_BREAK = {
    "type": "string",
    "pattern": "^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$",
    "x-bedplate-message": "{value} is no break, such as 09:00-09:15",
}
_DAYS = {"anyOf": [_TEXT, _list(_TEXT, minItems=1)]}
_LISTEN = {
    "type": "string",
    "pattern": r"^(\[[0-9a-fA-F:.]+\]|[^\s:\[\]/]+):[0-9]{1,5}$",
    "x-bedplate-message": "{value} is no host:port, such as 127.0.0.1:7443",
}

ISOLATION = ("L0", "L1", "L2", "L3")  # weakest first
KERNEL_DATA_TYPES = ("float64", "int64", "uint64", "bool", "text", "blob")

WRITE = _mapping(
    {
        "range": _PAIR,
        "step": {"type": "number", "exclusiveMinimum": 0},
        "rate": {"type": "string", "x-bedplate-rate": True},
        "interlock": _TEXT,
        "verify_timeout": _DURATION,
    }
)

TAG = _mapping(
    {
        "address": {},
        "data_type": _one_of(*KERNEL_DATA_TYPES),
        "unit": {"type": "string"},
        "scale": {"anyOf": [_NUMBER, _mapping({"raw": _PAIR, "to": _PAIR}, "raw", "to")]},
        "offset": _NUMBER,
        "range": _PAIR,
        "deadband": {"type": "number", "minimum": 0},
        "scan": _TEXT,
        "states": {
            "type": "object",
            "propertyNames": {
                "pattern": "^-?(0|[1-9][0-9]{0,17})$",
                "x-bedplate-message": "{value} is no whole number",
            },
            "additionalProperties": _TEXT,
            "minProperties": 1,
        },
        "counter": _BOOL,
        "description": {"type": "string"},
        "write": WRITE,
    }
)

BROWSE = _mapping(
    {
        "root": {"type": ["string", "integer"]},
        "depth": {"type": "integer", "minimum": 1, "maximum": 10},
        "include": _SELECTORS,
        "exclude": _SELECTORS,
    }
)
BUFFER = _mapping(
    {
        "age": _DURATION,
        "size": _SIZE,
        "when_full": _one_of("drop_oldest", "block"),
        "backlog": _one_of("in_order", "live_first"),
    }
)

# Kernel words inside a component. The list grows only with a new `bedplate:` number.
COMPONENT = _mapping(
    {
        "use": _TEXT,
        "type": _TEXT,
        "each": {
            "anyOf": [
                _TEXT,
                {"type": "object", "additionalProperties": {"type": "object"}, "minProperties": 1},
            ]
        },
        "override": {"type": "object", "additionalProperties": {"type": "object"}},
        "path": _TEXT,
        "tags": {"type": "object", "additionalProperties": {"type": "object"}},
        "browse": {
            "anyOf": [
                _BOOL,
                BROWSE,
            ]
        },
        "scan": _TEXT,
        "scan_classes": {"type": "object", "additionalProperties": _DURATION},
        "expected": _TEXT,
        "process": _TEXT,
        "placement": _one_of("process", "inline", "remote"),
        "deliver": _SELECTORS,
        "buffer": BUFFER,
        "for": {"anyOf": [_TEXT, _list(_TEXT, minItems=1)]},
    }
)
RESERVED = (*COMPONENT["properties"],)

WORDS: dict[str, tuple[str, ...]] = {
    "connector": tuple(word for word in RESERVED if word != "for"),
    "analytic": ("use", "for", "process", "placement"),
    "security": ("use", "process", "placement"),
    "app": ("use", "process", "placement"),
}
SECTIONS = {
    "connectors": "connector",
    "analytics": "analytic",
    "security": "security",
    "apps": "app",
}

TOP: dict[str, dict[str, Any]] = {
    "bedplate": {"const": 1},
    "name": _TEXT,
    "path": _TEXT,
    "timezone": _TEXT,
    "clock_tolerance": _DURATION,
    "calendars": {
        "type": "object",
        "additionalProperties": _mapping(
            {"timezone": _TEXT, "closed": _list(_TEXT)},
            others=_mapping(
                {"days": _DAYS, "from": _TIME, "to": _TIME, "breaks": _list(_BREAK)},
                "days",
                "from",
                "to",
            ),
        ),
    },
    "scan_classes": COMPONENT["properties"]["scan_classes"],
    "writes": _mapping(
        {
            "enabled": _BOOL,
            "kill_switch": _TEXT,
            "allow": _list(
                _mapping(
                    {
                        "role": _TEXT,
                        "tags": _SELECTORS,
                        "during": _CALENDAR,
                        "second_person": _BOOL,
                    },
                    "role",
                    "tags",
                )
            ),
        }
    ),
    "engine": {
        "type": "string",
        "pattern": "^(embedded|nats://.+)$",
        "x-bedplate-message": "{value} is no engine; write embedded or nats://host:port",
    },
    "journal": _mapping({"folder": _TEXT, "size": _SIZE, "min_free": _SIZE, "sync": _DURATION}),
    "api": _mapping({"listen": _LISTEN, "tls": _TEXT}),
    "telemetry": _mapping(
        {
            "prometheus": _LISTEN,
            "otlp": {
                "type": "string",
                "pattern": "^https?://[^/]+",
                "x-bedplate-message": "{value} is no address of a collector, such as http://127.0.0.1:4317",
            },
            "interval": _DURATION,
            "traces": _BOOL,
        }
    ),
    "audit": _mapping(
        {
            "folder": _TEXT,
            "anchor": _TEXT,
            "keep": _DURATION,
            "size": _SIZE,
            "syslog": {
                "type": "string",
                "pattern": r"^(tls|tcp|udp)://(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):[0-9]{1,5}$",
                "x-bedplate-message": "{value} is no receiver; write tls://host:6514",
            },
            "tls": _TEXT,
            "otlp": _BOOL,
        }
    ),
    "secrets": _mapping({"identity": _TEXT}, "identity"),
    "plugins": _mapping(
        {
            "policy": _one_of("open", "trusted"),
            "folders": _list(_TEXT, uniqueItems=True),
            "home": _TEXT,
            "min_isolation": _one_of(*ISOLATION),
            "listen": _LISTEN,
            "tls": _TEXT,
        }
    ),
    "moved": _list(_mapping({"from": _TEXT, "to": _TEXT}, "from", "to")),
}
