"""Which network connections a deployment needs: what a firewall has to let through, and nothing more.

Worked out from the file and from what the manifests of its plugins declare, with the settings filled in. Contacts
nobody, asks no resolver.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bedplate.admission.candidate import Offer
from bedplate.client.link import is_here
from bedplate.config import Component, Deployment
from bedplate.isolation.grants import Address, of_url
from bedplate.runtime.confining import grant_of

HERE = "this machine"
GATEWAY = "Bedplate"
OPERATIONS = "plant services"
ANY = "any"


@dataclass(frozen=True, slots=True)
class Flow:
    """zone: where the other end is; the area of the path for devices · source, target: who dials whom · port: a number,
    or any · direction: out or in, seen from Bedplate · components: whose it is · hint: not told by the file, and
    probably needed."""

    zone: str
    direction: Literal["out", "in"]
    source: str
    target: str
    port: str
    protocol: str
    components: tuple[str, ...]
    why: str
    hint: bool = False


def flows(deployment: Deployment, offers: Mapping[str, Offer]) -> list[Flow]:
    """By zone, each connection once. Raises GrantError for a permission that can't be told."""
    found = [
        *_inbound(deployment),
        *_devices(deployment, offers),
        *_services(deployment),
    ]
    if any(_is_name(flow.target) for flow in found if flow.direction == "out"):
        found.append(_hint("the plant's resolver", "53", "udp", "names instead of addresses"))
    found.append(
        _hint("the plant's time server", "123", "udp", "clocks that agree: NTP, of the machine")
    )
    return _merged(found)


def _merged(found: Iterable[Flow]) -> list[Flow]:
    """Components that dial the same are told together."""
    ids: dict[Flow, tuple[str, ...]] = {}
    for flow in found:
        key = replace(flow, components=())
        ids[key] = tuple(dict.fromkeys((*ids.get(key, ()), *flow.components)))
    merged = [replace(flow, components=components) for flow, components in ids.items()]
    zones = [*dict.fromkeys(flow.zone for flow in merged if flow.zone not in (OPERATIONS, HERE))]
    order = [*zones, OPERATIONS, HERE]
    return sorted(merged, key=lambda flow: order.index(flow.zone))


def _inbound(deployment: Deployment) -> Iterator[Flow]:
    api, plugins = deployment.api, deployment.plugins
    yield _into(api.listen, "clients", "clients", (), f"the API, {_tls(api.tls)}")
    if plugins.listen:
        ids = tuple(one.id for one in deployment.components if one.placement == "remote")
        why = "plugins that run elsewhere dial in, TLS with certificates"
        yield _into(plugins.listen, "remote plugins", "remote plugins", ids, why)


def _tls(folder: str) -> str:
    return "gRPC over TLS" if folder else "gRPC in the clear"


def _into(listen: str, zone: str, source: str, ids: tuple[str, ...], why: str) -> Flow:
    host, _, port = listen.rpartition(":")
    zone = HERE if is_here(listen) else zone
    return Flow(zone, "in", source, host.strip("[]"), port, "tcp", ids, why)


def _devices(deployment: Deployment, offers: Mapping[str, Offer]) -> Iterator[Flow]:
    for component in deployment.components:
        offer = offers[component.use]
        found = grant_of(component, offer, deployment)
        place = "where it runs" if component.placement == "remote" else GATEWAY
        if found.unconfined:
            why = f"{component.use} has no manifest: ask its author what it dials"
            yield Flow(_zone(component), "out", place, ANY, ANY, "tcp", (component.id,), why, True)
        for address in dict.fromkeys(found.network):
            why = f"{component.use} {offer.version}"
            flow = _to(address, _zone(component), component.id, why)
            yield replace(flow, source=place)


def _zone(component: Component) -> str:
    """The area in which a device stands: its path without the device. What has no device is of the plant."""
    if component.kind != "connector":
        return OPERATIONS
    above = component.path.rpartition("/")[0]
    return above or component.path or component.id


def _to(address: Address, zone: str, id: str, why: str) -> Flow:
    host = address.host.strip("[]")
    zone = HERE if is_here(f"{address.host}:0") else zone
    target = ANY if host == "*" else host
    port = str(address.port) if address.port else ANY
    return Flow(zone, "out", GATEWAY, target, port, address.protocol, (id,), why)


def _services(deployment: Deployment) -> Iterator[Flow]:
    if otlp := deployment.telemetry.otlp:
        why = "metrics and traces (telemetry.otlp)"
        yield _to(of_url(otlp, "telemetry.otlp"), OPERATIONS, "kernel", why)
    if syslog := deployment.audit.syslog:
        scheme, _, rest = syslog.partition("://")
        host, _, port = rest.rpartition(":")
        protocol = "udp" if scheme == "udp" else "tcp"
        why = f"the audit log by syslog{' over TLS' if scheme == 'tls' else ', in the clear'}"
        yield _to(Address(protocol, host, int(port)), OPERATIONS, "kernel", why)


def _hint(target: str, port: str, protocol: str, why: str) -> Flow:
    return Flow(OPERATIONS, "out", "this machine", target, port, protocol, (), why, hint=True)


def _is_name(host: str) -> bool:
    return host != ANY and Address("tcp", host, 0).named
