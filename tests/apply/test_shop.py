"""The shop that is edited at random is a deployment whatever is left of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from tests.apply.line import OFFERS
from tests.apply.shop import TYPES, Shop
from tests.runtime.plant import schema

from bedplate.config import parse

FULL = Shop.of(list(range(5000, 5050)), 50)


@pytest.mark.parametrize("types", [*product(*((name, "") for name in TYPES))])
def test_whatever_is_left_of_the_shop_is_a_deployment(
    tmp_path: Path, types: tuple[str, ...]
) -> None:
    boxes = {id_: box for id_, box in FULL.boxes.items() if box.type in types}
    for sinks, sums in product((FULL.sinks, {}), (FULL.sums, {})):
        shop = replace(FULL, boxes=boxes, sinks=sinks, sums=sums)
        text = "bedplate: 1\nname: test\n" + shop.text().replace("FOLDER", str(tmp_path))
        found = parse(text.encode(), "plant.yaml", tmp_path, partial(schema, offers=OFFERS))

        assert {one.id for one in found.components} == {*boxes, *sinks, *sums}
