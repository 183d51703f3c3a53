"""What the line's PLC serves, seen through an OPC UA client."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncua.ua
import pytest
from asyncua.client.client import Client
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bedplate_simline.launch import Simulator
from bedplate_simline.tags import PLC_TAGS

ua: Any = asyncua.ua
Start = Callable[..., Simulator]
pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def connected(endpoint: str) -> AsyncIterator[tuple[Client, int]]:
    """A session and the index of the line's namespace."""
    async with Client(endpoint) as client:
        yield client, await client.get_namespace_index("urn:bedplate:simline")


async def test_every_tag_is_a_node_of_its_type_below_the_line(simulator: Start) -> None:
    endpoint = simulator("opcua").ready()["endpoint"]
    async with connected(endpoint) as (client, index):
        line = await client.nodes.objects.get_child(f"{index}:BottlingLine")
        found = {}
        for owner in await line.get_children():
            for node in await owner.get_children(refs=ua.ObjectIds.HasComponent):
                found[node.nodeid.Identifier] = await node.read_data_type_as_variant_type()
    expected = {spec.node_id: ua.VariantType[spec.kind.value] for spec in PLC_TAGS}
    assert found == expected


async def test_values_move_and_carry_the_time_of_their_change(simulator: Start) -> None:
    endpoint = simulator("opcua", "--shift", "10s").ready()["endpoint"]
    async with connected(endpoint) as (client, index):
        total = client.get_node(f"ns={index};s=Filler.PartsTotal")
        async with asyncio.timeout(10):
            while await total.read_value() == 0:
                await asyncio.sleep(0.05)
        sample: Any = await total.read_data_value()
    assert sample.Value.VariantType is ua.VariantType.UInt32
    assert sample.StatusCode.is_good()
    now = datetime.datetime.now(datetime.UTC)
    assert abs((now - sample.SourceTimestamp).total_seconds()) < 2.0


async def test_a_subscriber_hears_each_change_once(simulator: Start) -> None:
    endpoint = simulator("opcua").ready()["endpoint"]
    heard: list[tuple[float, datetime.datetime]] = []

    class Handler:
        def datachange_notification(self, node: Any, value: float, data: Any) -> None:
            heard.append((value, data.monitored_item.Value.SourceTimestamp))

    async with connected(endpoint) as (client, index):
        subscription: Any = await client.create_subscription(100, Handler())
        speed = client.get_node(f"ns={index};s=Filler.Speed")
        await subscription.subscribe_data_change(speed, queuesize=20, sampling_interval=100)
        async with asyncio.timeout(20):
            while len(heard) < 25:
                await asyncio.sleep(0.05)
    times = [time for _, time in heard]
    assert times == sorted(set(times))
    assert max(value for value, _ in heard) > 20.0


async def test_units_and_ranges_are_described(simulator: Start) -> None:
    endpoint = simulator("opcua").ready()["endpoint"]
    async with connected(endpoint) as (client, index):
        node = client.get_node(f"ns={index};s=Filler.Temperature")
        unit = await (await node.get_child("0:EngineeringUnits")).read_value()
        span = await (await node.get_child("0:EURange")).read_value()
        kind = await node.read_type_definition()
    assert (unit.UnitId, unit.DisplayName.Text) == (4408652, "°C")
    assert (span.Low, span.High) == (0.0, 30.0)
    assert kind == ua.NodeId(ua.ObjectIds.AnalogItemType)


async def test_a_setpoint_can_be_written_and_is_kept(simulator: Start) -> None:
    endpoint = simulator("opcua").ready()["endpoint"]
    async with connected(endpoint) as (client, index):
        setpoint = client.get_node(f"ns={index};s=Filler.SpeedSetpoint")
        speed = client.get_node(f"ns={index};s=Filler.Speed")
        await setpoint.write_value(60.0)
        async with asyncio.timeout(15):
            while not 58.0 < await speed.read_value() < 62.0:
                await asyncio.sleep(0.05)
        assert await setpoint.read_value() == 60.0


async def test_a_value_out_of_range_is_refused_and_seen_by_nobody(simulator: Start) -> None:
    endpoint = simulator("opcua").ready()["endpoint"]
    heard: list[float] = []

    class Handler:
        def datachange_notification(self, node: Any, value: float, data: Any) -> None:
            heard.append(value)

    async with connected(endpoint) as (client, index):
        setpoint = client.get_node(f"ns={index};s=Capper.SpeedSetpoint")
        subscription: Any = await client.create_subscription(50, Handler())
        await subscription.subscribe_data_change(setpoint, queuesize=20, sampling_interval=0)
        with pytest.raises(ua.uaerrors.BadOutOfRange):
            await setpoint.write_value(900.0)
        with pytest.raises(ua.uaerrors.BadTypeMismatch):
            await setpoint.write_value(90, ua.VariantType.Int32)
        await setpoint.write_value(90.0)
        async with asyncio.timeout(10):
            while 90.0 not in heard:
                await asyncio.sleep(0.02)
    assert set(heard) == {124.0, 90.0}


async def test_only_setpoints_can_be_written(simulator: Start) -> None:
    endpoint = simulator("opcua").ready()["endpoint"]
    async with connected(endpoint) as (client, index):
        with pytest.raises(ua.uaerrors.BadUserAccessDenied):
            await client.get_node(f"ns={index};s=Filler.State").write_value(1, ua.VariantType.Int32)


async def test_the_server_keeps_its_clock(simulator: Start) -> None:
    endpoint = simulator("opcua").ready()["endpoint"]
    async with Client(endpoint) as client:
        clock = client.get_node(ua.NodeId(ua.ObjectIds.Server_ServerStatus_CurrentTime))
        first = await clock.read_value()
        async with asyncio.timeout(5):
            while await clock.read_value() == first:
                await asyncio.sleep(0.05)
        status = await client.get_node(ua.NodeId(ua.ObjectIds.Server_ServerStatus)).read_value()
    assert status.State == ua.ServerState.Running
    assert status.CurrentTime > first


async def test_a_server_with_a_user_lets_in_nobody_else(simulator: Start) -> None:
    server = simulator("opcua", "--user", "operator", "--password", "cold bottles")
    client = Client(server.ready()["endpoint"])
    client.set_user("operator")
    client.set_password("wrong")
    with pytest.raises(ua.UaStatusCodeError):
        await client.connect()
    client = Client(client.server_url.geturl())
    client.set_user("operator")
    client.set_password("cold bottles")
    async with client:
        assert await client.get_namespace_index("urn:bedplate:simline")
    with pytest.raises(ua.UaError):
        await Client(client.server_url.geturl()).connect()


async def test_a_server_with_a_certificate_talks_encrypted_to_those_it_trusts(
    simulator: Start, tmp_path: Path
) -> None:
    make_certificate(tmp_path / "server", "urn:bedplate:simline:server")
    make_certificate(tmp_path / "client", "urn:test:client")
    make_certificate(tmp_path / "stranger", "urn:test:stranger")
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    (trusted / "client.der").write_bytes((tmp_path / "client" / "cert.der").read_bytes())
    server = simulator(
        "opcua",
        "--encrypted-only",
        f"--certificate={tmp_path}/server/cert.der",
        f"--private-key={tmp_path}/server/key.pem",
        f"--trusted={trusted}",
    )
    endpoint = server.ready()["endpoint"]
    offered = await Client(endpoint).connect_and_get_server_endpoints()
    assert {(one.SecurityPolicyUri.rsplit("#")[1], one.SecurityMode.name) for one in offered} == {
        ("Basic256Sha256", "Sign"),
        ("Basic256Sha256", "SignAndEncrypt"),
    }
    assert {one.EndpointUrl for one in offered} == {endpoint}
    async with await secured(endpoint, tmp_path / "client", "urn:test:client") as client:
        assert await client.get_namespace_index("urn:bedplate:simline")
    stranger = await secured(endpoint, tmp_path / "stranger", "urn:test:stranger")
    with pytest.raises(ua.UaError):
        await stranger.connect()


async def secured(endpoint: str, folder: Path, uri: str) -> Client:
    client = Client(endpoint)
    client.application_uri = uri
    await client.set_security(
        SecurityPolicyBasic256Sha256,
        certificate=str(folder / "cert.der"),
        private_key=str(folder / "key.pem"),
        mode=ua.MessageSecurityMode.SignAndEncrypt,
    )
    return client


def make_certificate(folder: Path, uri: str) -> None:
    """A self-signed application certificate with `uri` in it: cert.der and key.pem."""
    folder.mkdir()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, uri)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.UniformResourceIdentifier(uri), x509.DNSName("localhost")]
            ),
            critical=False,
        )
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.der").write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
