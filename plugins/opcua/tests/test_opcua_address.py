"""NodeIds as text, and the settings."""

from __future__ import annotations

import re
import uuid
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from bedplate_opcua import OpcUa
from bedplate_opcua.address import PATTERN, NodeAddress, parse, written

NAMESPACES = ["http://opcfoundation.org/UA/", "urn:server", "http://a.example/x;y%3B", "urn:third"]
IDENTIFIERS = st.one_of(
    st.integers(0, 2**32 - 1), st.text(min_size=1), st.uuids(), st.binary(min_size=1)
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ns=3;s=Oil.Temp", NodeAddress(3, "Oil.Temp")),
        ('nsu=http://a.example/;s="Oil"."Temp"', NodeAddress("http://a.example/", '"Oil"."Temp"')),
        ("i=2258", NodeAddress(0, 2258)),
        ("ns=2;s=a;b=c;i=4", NodeAddress(2, "a;b=c;i=4")),
        ("nsu=urn:a%3Bb%25;i=1", NodeAddress("urn:a;b%", 1)),
        (
            "ns=1;g=09087e75-8e5e-499b-954f-f2a9603db28a",
            NodeAddress(1, uuid.UUID("09087e75-8e5e-499b-954f-f2a9603db28a")),
        ),
        ("ns=1;b=AAH/", NodeAddress(1, b"\x00\x01\xff")),
    ],
)
def test_every_form_of_a_node_id_is_read(text: str, meant: NodeAddress) -> None:
    assert parse(text) == meant
    assert TypeAdapter(OpcUa.Address).validate_python(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ns=x;s=a",
        "i=abc",
        "ns=3;",
        "ns=3;Oil",
        "nsu=;s=a",
        "i=",
        "s=",
        "g=123",
        "i=4294967296",
        "ns=70000;i=1",
        "b=A",
    ],
)
def test_what_only_looks_like_a_node_id_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(OpcUa.Address).validate_python(text)
    if text not in ("i=4294967296", "ns=70000;i=1"):
        assert not re.search(PATTERN, text)


@given(st.integers(0, 3), IDENTIFIERS)
def test_an_address_that_was_written_is_read_back(index: int, identifier: Any) -> None:
    node_id = NodeAddress(index, identifier).node_id(NAMESPACES)
    assert node_id is not None
    text = written(node_id, NAMESPACES)
    assert parse(text).node_id(NAMESPACES) == node_id
    assert re.search(PATTERN, text)


@given(st.text())
def test_any_text_is_an_address_or_says_how_to_write_one(text: str) -> None:
    if text and not re.match(r"(ns|nsu|i|s|g|b)=", text):
        assert parse(text, "ns=1;s=") == NodeAddress(1, text)
        with pytest.raises(ValueError, match="is no NodeId; write ns=3"):
            parse(text)
    else:
        with suppress(ValueError):
            parse(text, "ns=1;s=")


def test_a_namespace_the_server_lacks_is_no_node() -> None:
    assert parse("nsu=urn:nobody;i=1").node_id(NAMESPACES) is None


def settings(**given: Any) -> Any:
    return OpcUa.Config.model_validate({"endpoint_url": "opc.tcp://plc:4840", **given})


@pytest.mark.case("A29")
def test_secure_is_the_default() -> None:
    one = settings()
    assert (one.security_policy, one.security_mode) == ("Basic256Sha256", "SignAndEncrypt")
    assert settings(security_mode="Sign").security_policy == "Basic256Sha256"
    assert settings(security_policy="None").security_mode == "None"
    assert settings(security_mode="None").security_policy == "None"


@pytest.mark.parametrize(
    "given_",
    [
        {"security_policy": "None", "security_mode": "Sign"},
        {"security_policy": "Basic256Sha256", "security_mode": "None"},
        {"security_policy": "Basic256"},
        {"password": "x"},
        {"certificate": "x"},
        {"username": "x", "certificate": "x", "private_key": "x"},
        {"queue_size": 1},
        {"publishing_interval": "0s"},
        {"request_timeout": "2d"},
        {"endpoint_url": "http://plc"},
        {"endpoint_url": "opc.tcp://user:pw@plc"},
        {"nonsense": 1},
    ],
)
def test_settings_that_do_not_fit_are_refused(given_: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**given_)


@pytest.mark.parametrize(
    ("url", "with_port", "host"),
    [
        ("opc.tcp://plc", "opc.tcp://plc:4840", "plc"),
        ("opc.tcp://plc/a/b", "opc.tcp://plc:4840/a/b", "plc"),
        ("opc.tcp://[fe80::1]/a", "opc.tcp://[fe80::1]:4840/a", "fe80::1"),
        ("opc.tcp://10.0.0.1:4841", "opc.tcp://10.0.0.1:4841", "10.0.0.1"),
    ],
)
def test_a_url_without_a_port_means_4840(url: str, with_port: str, host: str) -> None:
    one = settings(endpoint_url=url)
    assert (one.url, one.host) == (with_port, host)


def test_the_schema_says_what_the_settings_are() -> None:
    schema = OpcUa.Config.model_json_schema()
    Draft202012Validator.check_schema(schema)
    check = Draft202012Validator(schema)
    assert all("description" in one for one in schema["properties"].values())
    assert not list(check.iter_errors({"endpoint_url": "opc.tcp://plc", "request_timeout": "2s"}))
    assert list(check.iter_errors({"endpoint_url": "opc.tcp://plc", "password": "x"}))
    assert list(check.iter_errors({"endpoint_url": "plc"}))
