"""What runs though nobody named it: start-up code in the kernel's environment (A22), plugins that are merely installed
(A23), and what a plugin asks for beyond its manifest (A25)."""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.admission.site import SCHEMA, Site, manifest
from tests.trust.site import plant, plugin_folder, trusted

from bedplate.admission import notices as told
from bedplate.admission.startup_code import startup_code
from bedplate.cli import main
from bedplate.errors import AdmissionError, BedplateError
from bedplate.server.platform import prepare


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Site-packages with one honest distribution that brings a .pth file."""
    folder = tmp_path / "site-packages"
    info = folder / "honest-1.0.dist-info"
    info.mkdir(parents=True)
    content = b"import os\n"
    (folder / "honest.pth").write_bytes(content)
    sha = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: honest\nVersion: 1.0\n")
    (info / "RECORD").write_text(f"honest.pth,sha256={sha},10\nhonest-1.0.dist-info/RECORD,,\n")
    return folder


def found(folder: Path) -> list[tuple[str, str]]:
    return [(code.path.name, code.why) for code in startup_code([folder])]


@pytest.mark.case("A22")
def test_a_pth_file_or_sitecustomize_that_nobody_installed_is_found(site: Path) -> None:
    """A22: extra .pth, sitecustomize.py, and one that was changed since it was installed."""
    assert found(site) == []
    (site / "evil.pth").write_text("import os; os.environ['X'] = '1'\n")
    (site / "more.pth").write_text("/somewhere/else\n")
    (site / "sitecustomize.py").write_text("")
    (site / "usercustomize").mkdir()
    (site / "usercustomize" / "__init__.py").write_text("")
    (site / "honest.pth").write_bytes(b"import sys\n")
    runs, adds = "runs code at every start of Python", "adds folders at every start of Python"
    assert found(site) == [
        ("evil.pth", f"{runs}, and no installed distribution lists it"),
        ("honest.pth", f"{runs}, and it is not as it was installed"),
        ("more.pth", f"{adds}, and no installed distribution lists it"),
        (
            "sitecustomize.py",
            "runs at every start of Python, and no installed distribution lists it",
        ),
        ("__init__.py", "runs at every start of Python, and no installed distribution lists it"),
    ]


def test_our_own_environment_is_clean() -> None:
    assert startup_code() == ()


@pytest.mark.case("A22")
def test_it_is_told_at_the_start_and_by_doctor_and_refused_where_only_trusted_plugins_may_run(
    tmp_path: Path,
    home: Path,
    site: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A22: start and doctor report it; `policy: trusted` refuses."""
    (site / "evil.pth").write_text("import os\n")
    monkeypatch.setattr("site.getsitepackages", lambda: [str(site)])
    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces")
    prepared = prepare(plant(tmp_path, policy="open", more=", folders: [acme]"))
    assert prepared.notices[0] == told.OPEN
    assert "evil.pth runs code at every start" in prepared.notices[1]
    with pytest.raises(SystemExit) as end:
        main(["doctor"])
    assert end.value.code == 1
    assert f"✖ start-up code  {site}/evil.pth runs code" in capsys.readouterr().out
    trusted(folder, home)
    with pytest.raises(AdmissionError, match=r"evil\.pth runs code at every start.*take it away"):
        prepare(plant(tmp_path, more=", folders: [acme]"))


@pytest.mark.case("A23")
def test_a_plugin_that_is_installed_and_not_named_is_never_imported(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A23: nor by trusting another, nor by preparing a deployment, in either policy. Its side effect would be seen."""
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    (tmp_path / "installed").mkdir()
    installed = Site(tmp_path / "installed")
    points = "[bedplate.plugins]\nother = acme_other:Other\n"
    text = manifest("other")
    installed.install("acme-other", manifest=text, schema={"other": SCHEMA}, points=points)
    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces")
    for policy in ("open", "trusted"):
        trusted(folder, home)
        prepared = prepare(plant(tmp_path, policy=policy, more=", folders: [acme]"))
        assert set(prepared.admission.offers) == {"ticker"}
        verdicts = {c.distribution: c.verdict for c in prepared.admission.candidates}
        assert (verdicts["acme-other"], verdicts["acme-ticker"]) == ("not named", "admitted")
    assert "acme_other" not in sys.modules
    assert installed.imported() == []


@pytest.mark.case("A25")
def test_a_manifest_that_asks_for_a_right_nobody_knows_is_refused(tmp_path: Path) -> None:
    """A25: what is not in the list of permissions is not had. That each listed one is held to is shown in
    tests/hostile."""
    plugin_folder(tmp_path / "acme", tmp_path / "traces", permissions="hooks = ['all']")
    with pytest.raises(BedplateError, match="hooks: unknown"):
        prepare(plant(tmp_path, policy="open", more=", folders: [acme]"))
