"""What it denies, and what it lets pass."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bedplate import CallError, Check, Subject, Verdict
from bedplate.testing import running, until
from bedplate_my_thing import MyThing

PACKAGE = Path(__file__).parents[1]
AREA = "plant/line1/oven"


@pytest.fixture
def module():
    module = MyThing()
    module.config = MyThing.Config(area=AREA, roles=["engineer"])
    return module


def verdict(module, resource, *roles, action="live.current"):
    (decision,) = module.authorize(Subject("somebody", roles), [Check(action, resource)])
    return decision.verdict


INSIDE = [AREA, f"{AREA}/recipe", f"{AREA}/door/open"]
OUTSIDE = ["", "plant", "plant/line1", "plant/line1/filler/speed", "plant/line1/oven2/recipe"]


@pytest.mark.parametrize("resource", INSIDE)
def test_what_lies_in_the_area_is_for_those_who_have_the_role(module, resource):
    assert verdict(module, resource, "viewer") is Verdict.DENY
    assert verdict(module, resource, "viewer", "engineer") is Verdict.ALLOW


@pytest.mark.parametrize("resource", OUTSIDE)
def test_what_lies_elsewhere_is_none_of_its_business(module, resource):
    assert verdict(module, resource, "viewer") is Verdict.ABSTAIN


def test_actions_that_are_not_named_are_none_of_its_business(module):
    assert verdict(module, AREA, "viewer", action="alarms.list") is Verdict.ABSTAIN


def test_a_denial_says_why(module):
    (decision,) = module.authorize(Subject("somebody", ()), [Check("live.current", AREA)])

    assert decision.reason == "plant/line1/oven is for engineer"


def test_it_guards_a_bedplate(tmp_path):
    file = Path(shutil.copy(PACKAGE / "my-thing-line.yaml", tmp_path))
    with running(file, PACKAGE / "bedplate_my_thing" / "sim.py") as bedplate:
        with bedplate.client() as client:
            speed = until(lambda: client.current("filler/speed")["speed"].value.tolist())
            with pytest.raises(CallError) as refused:
                client.current("oven/recipe")

    assert 0 <= speed[0] <= 100
    assert refused.value.code == "NOT_FOUND"  # as if it were not there


def test_the_description_of_our_settings_is_fresh():
    words = [sys.executable, "-m", "bedplate.admission.schema", "bedplate_my_thing", "--check"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
