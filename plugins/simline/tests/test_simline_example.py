"""docs/examples/bottling-line.yaml asks the line only for what it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bedplate_simline.registers import METER_REGISTERS
from bedplate_simline.tags import MACHINES, PLC_TAGS
from bedplate_simline.trouble import CAP_JAM, LABELS_OUT

FILE = Path(__file__).parents[3] / "docs" / "examples" / "bottling-line.yaml"


@pytest.fixture(scope="module")
def deployment() -> Any:
    return YAML(typ="safe").load(FILE)


def test_every_opc_ua_address_is_a_node_of_its_machine(deployment: Any) -> None:
    machines = deployment["connectors"]["machines"]
    assert tuple(machines["each"]) == MACHINES
    nodes = {spec.node_id for spec in PLC_TAGS}
    for name, row in machines["each"].items():
        own = machines["override"].get(name, {"tags": {}})["tags"]
        for tag in [*deployment["types"]["machine"]["tags"].values(), *own.values()]:
            assert f"{row['node']}.{tag['address']}" in nodes


def test_every_modbus_address_is_a_register_of_the_meter(deployment: Any) -> None:
    tags = deployment["types"]["meter"]["tags"]
    assert {name: tag["address"] for name, tag in tags.items()} == {
        name: address for name, (address, _) in METER_REGISTERS.items()
    }
    rows = deployment["connectors"]["meters"]["each"].values()
    assert [(row["unit_id"], row["at"]) for row in rows] == [*enumerate(MACHINES, start=1)]


def test_the_alarms_wait_for_faults_that_the_line_has(deployment: Any) -> None:
    limits = deployment["analytics"]["stops"]["limits"]
    assert limits["jam"]["equals"] == CAP_JAM.code
    assert limits["labels-out"]["equals"] == LABELS_OUT.code
