"""The public API: what the command line does, in a few lines, with findings as values and no printing."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackgen import api
from tests.helpers import tree

FILES = {
    "base.yml": "from: debian:12-slim\nimage: x/base\n",
    "app.yml": "extends: base\nimage: x/app\nenv: {A: b}\nprograms: {}\n",
    "bad.yml": "extends: base\npackges: [curl]\n",
}


def test_the_pipeline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Load, check, render, write: each verb gives its value, and nothing is printed on the way."""
    root = tree(tmp_path, FILES)
    loaded = api.load(["app.yml"], cwd=root).unwrap()
    assert [unit.name for unit in loaded.closure.units] == ["base", "app"]
    checked = api.check(loaded).unwrap()
    assert [image.image.reference for image in checked.images] == ["x/base:latest", "x/app:latest"]
    plan = api.render(["app.yml"], cwd=root).unwrap()
    assert [image.name for image in plan.images] == ["base", "app"]
    assert not api.changes(plan).unwrap().up_to_date
    done = api.write(plan).unwrap()
    assert {change.state for change in done.files} == {"created"}
    assert api.changes(plan).unwrap().up_to_date
    assert (root / "build/app/Dockerfile").is_file()
    assert capsys.readouterr() == ("", "")


def test_inspect(tmp_path: Path) -> None:
    """Only the images that are named are inspected, with all that they inherit."""
    (inspection,) = api.inspect(["app.yml"], cwd=tree(tmp_path, FILES)).unwrap()
    assert inspection.to_json()["Name"] == "x/app:latest"
    assert "A=b" in inspection.to_json()["Config"]["Env"]


def test_findings_are_values(tmp_path: Path) -> None:
    """A result carries its findings; `unwrap` raises them all in one error, `ok` says whether there are any."""
    result = api.render(["bad.yml"], cwd=tree(tmp_path, FILES))
    assert not result.ok
    assert result.value is None
    (finding,) = result.diagnostics
    assert finding.code == "unknown-key"
    assert finding.span is not None
    assert (finding.span.path, finding.span.line, finding.span.column) == ("bad.yml", 2, 1)
    with pytest.raises(api.StackError, match="packges") as raised:
        result.unwrap()
    assert raised.value.diagnostics == result.diagnostics


def test_a_wrong_call(tmp_path: Path) -> None:
    """A path that is not there is the caller's fault, not a finding."""
    with pytest.raises(api.CallError, match=r"nope\.yml is not there"):
        api.load(["nope.yml"], cwd=tmp_path)


def test_results_are_frozen(tmp_path: Path) -> None:
    """Results cannot be changed behind the back of whoever else holds them."""
    plan = api.render(["app.yml"], cwd=tree(tmp_path, FILES)).unwrap()
    with pytest.raises(AttributeError):
        plan.images = ()  # type: ignore[misc]
    with pytest.raises(AttributeError):
        plan.images[0].files[0].content = b""  # type: ignore[misc]


def test_a_plan_writes_nothing(tmp_path: Path) -> None:
    """Rendering is pure: it can be called any number of times, gives equal plans, and leaves no trace."""
    root = tree(tmp_path, FILES)
    before = sorted(tmp_path.rglob("*"))
    one, other = api.render(["app.yml"], cwd=root).unwrap(), api.render(["app.yml"], cwd=root).unwrap()
    assert one.images == other.images
    assert sorted(tmp_path.rglob("*")) == before
