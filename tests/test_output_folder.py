"""What an output folder holds, and what a second, narrower or differing render does to it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from tests.helpers import MANIFEST, files_of, modes_of, run, tree, umask

FOUR = {
    "stacks/base.yml": "from: debian:12-slim\nimage: demo/base\n",
    "stacks/db.yml": "extends: base\nimage: demo/db\nservice: {}\n",
    "stacks/app.yml": "extends: base\nimage: demo/app\nservice: {depends_on: [db]}\n",
    "stacks/other.yml": "extends: base\nimage: demo/other\n",
}
CURE = "help: render into another folder with -o DIR"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Four stacks, rendered into `build`."""
    root = tree(tmp_path / "project", FOUR)
    assert run(["render", "stacks"], root).code == 0
    return root


def write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def services(root: Path) -> set[str]:
    return set(yaml.safe_load((root / "build/compose.yaml").read_text("utf-8"))["services"])


def targets(root: Path) -> set[str]:
    return set(json.loads((root / "build/docker-bake.json").read_text("utf-8"))["target"])


def test_report(tmp_path: Path) -> None:
    """A render ends with what it did, image by image, and with the next command to type."""
    root = tree(tmp_path, FOUR)
    first = run(["render", "stacks/app.yml"], root)
    assert first.code == 0
    assert first.stdout == (
        "build/\n"
        "  base              demo/base:latest  2 created\n"
        "  app               demo/app:latest   2 created\n"
        "  db                demo/db:latest    2 created\n"
        "  compose.yaml                        created\n"
        "  docker-bake.json                    created\n"
        "\n"
        "next: cd build && docker buildx bake -f docker-bake.json\n"
    )
    write(root / "stacks/app.yml", "extends: base\nimage: demo/app\nenv: {A: b}\nservice: {depends_on: [db]}\n")
    second = run(["render", "stacks/app.yml"], root)
    assert "  app               demo/app:latest   1 updated, 1 unchanged\n" in second.stdout
    assert "  db                demo/db:latest    2 unchanged\n" in second.stdout
    assert "  compose.yaml                        unchanged\n" in second.stdout


def test_next_command_fits_the_folder(tmp_path: Path) -> None:
    """The command to type next can be typed, whatever the folder is called."""
    root = tree(tmp_path, FOUR)
    assert "next: cd 'out put/x' && docker buildx bake -f docker-bake.json\n" in (
        run(["render", "stacks", "-o", "out put/x"], root).stdout
    )
    assert "next: cd ../elsewhere && " in run(["render", ".", "-o", "../elsewhere"], root / "stacks").stdout


def test_second_run_touches_nothing(project: Path) -> None:
    """A second run with nothing changed writes no file anew, and says so."""
    stamp = 1_000_000_000
    for path in (project / "build").rglob("*"):
        os.utime(path, (stamp, stamp))
    again = run(["render", "stacks"], project)
    assert again.code == 0
    assert "created" not in again.stdout
    assert "updated" not in again.stdout
    assert {path.stat().st_mtime for path in (project / "build").rglob("*")} == {stamp}


def test_narrower_render_keeps_the_others(project: Path) -> None:
    """A render of one stack leaves the images of others alone, and the shared files describe all that is there."""
    before = files_of(project / "build")
    write(project / "stacks/db.yml", "extends: base\nimage: demo/db\nenv: {A: b}\nservice: {}\n")
    ran = run(["render", "stacks/db.yml"], project)
    assert ran.code == 0
    after = files_of(project / "build")
    assert {path for path in before if before[path] != after[path]} == {"db/Dockerfile"}
    assert services(project) == targets(project) == {"base", "db", "app", "other"}


def test_images_join_a_folder(tmp_path: Path) -> None:
    """A folder is filled image by image, in any order, and is the same in the end."""
    one, other = tree(tmp_path / "one", FOUR), tree(tmp_path / "other", FOUR)
    for name in ("other", "app"):
        assert run(["render", f"stacks/{name}.yml"], one).code == 0
    assert run(["render", "stacks"], other).code == 0
    assert files_of(one / "build") == files_of(other / "build")
    assert (one / "build" / MANIFEST).read_bytes() == (other / "build" / MANIFEST).read_bytes()


@pytest.mark.parametrize("options", [["--set", "v=2"], ["--mirror", "tuna"], ["--base", "base2"]])
def test_differing_options_are_refused(tmp_path: Path, options: list[str]) -> None:
    """Images that were rendered with other options do not get into one folder unseen; -o is the cure."""
    root = tree(tmp_path, FOUR | {"stacks/base2.yml": "from: debian:12\nimage: demo/base2\nvars: {v: 1}\n"})
    write(root / "stacks/base.yml", FOUR["stacks/base.yml"] + "vars: {v: 1}\n")
    assert run(["render", "stacks"], root).code == 0
    before = files_of(root / "build")
    ran = run(["render", "stacks/app.yml", *options], root)
    assert ran.code == 1
    assert "error[other-options]: the folder holds " in ran.stderr
    assert f"(none; now: {' '.join(options)})" in ran.stderr
    assert CURE in ran.stderr
    assert files_of(root / "build") == before
    assert run(["render", "stacks/app.yml", *options, "-o", "build/other"], root).code == 0


def test_all_images_may_change_their_options(tmp_path: Path) -> None:
    """A render that covers all that a folder holds may give them other options."""
    root = tree(tmp_path, {"a.yml": "from: debian:12-slim\nvars: {v: 1}\nenv: {V: '{{ v }}'}\n"})
    assert run(["render", "a.yml"], root).code == 0
    assert run(["render", "a.yml", "--set", "v=2"], root).code == 0
    assert 'ENV V="2"' in (root / "build/a/Dockerfile").read_text("utf-8")


def test_gone_stack_goes_with_a_covering_render(project: Path) -> None:
    """An image whose stack is gone is removed by the next render that covers its place, and by no other."""
    (project / "stacks/other.yml").unlink()
    assert run(["render", "stacks/db.yml"], project).code == 0
    assert (project / "build/other/Dockerfile").exists()
    assert "other" in services(project)
    ran = run(["render", "stacks"], project)
    assert "  other                               2 removed\n" in ran.stdout
    assert not (project / "build/other").exists()
    assert services(project) == targets(project) == {"base", "db", "app"}


def test_renamed_image_leaves_nothing_behind(project: Path) -> None:
    """A stack that calls its image otherwise takes its old folder along, and no shared file points there."""
    write(project / "stacks/base.yml", FOUR["stacks/base.yml"] + "name: ground\n")
    assert run(["render", "stacks/base.yml"], project).code == 0
    assert not (project / "build/base").exists()
    assert targets(project) == {"ground", "db", "app", "other"}
    assert ":base" not in (project / "build/docker-bake.json").read_text("utf-8")
    assert ":base" not in (project / "build/compose.yaml").read_text("utf-8")
    assert run(["render", "stacks"], project).code == 0
    assert "service:ground" in (project / "build/compose.yaml").read_text("utf-8")


def test_file_that_is_no_longer_made(tmp_path: Path) -> None:
    """A file that a stack no longer brings is removed, with the folders that it leaves empty."""
    root = tree(tmp_path, {"a.yml": "from: debian:12-slim\nfiles: [{content: x, dest: /etc/x/y/z}]\n"})
    assert run(["render", "a.yml"], root).code == 0
    write(root / "a.yml", "from: debian:12-slim\n")
    assert "1 removed" in run(["render", "a.yml"], root).stdout
    assert not (root / "build/a/rootfs").exists()


def test_hand_edit_is_kept(project: Path) -> None:
    """What somebody wrote into a rendered file is not overwritten without --force, and --diff shows it."""
    path = project / "build/app/Dockerfile"
    edited = path.read_text("utf-8") + "RUN echo by hand\n"
    write(path, edited)
    refused = run(["render", "stacks"], project)
    assert refused.code == 1
    assert "error[edited-by-hand]: app/Dockerfile was edited by hand since it was rendered" in refused.stderr
    assert "--force overwrites it, --diff shows it" in refused.stderr
    assert "nothing was written" in refused.stderr
    assert path.read_text("utf-8") == edited
    shown = run(["render", "stacks", "--diff"], project)
    assert shown.code == 3
    assert "\n-RUN echo by hand\n" in shown.stdout
    assert "edited-by-hand" in shown.stderr
    assert run(["render", "stacks", "--check"], project).code == 3
    assert path.read_text("utf-8") == edited
    assert run(["render", "stacks", "--force"], project).code == 0
    assert "by hand" not in path.read_text("utf-8")


def test_hand_edit_that_says_the_same_is_none(project: Path) -> None:
    """A file that already holds what would be written is no conflict, whoever wrote it."""
    write(project / "stacks/app.yml", FOUR["stacks/app.yml"] + "env: {A: b}\n")
    run(["render", "stacks", "-o", "elsewhere"], project)
    write(project / "build/app/Dockerfile", (project / "elsewhere/app/Dockerfile").read_text("utf-8"))
    assert run(["render", "stacks"], project).code == 0


def test_hand_edit_of_a_gone_image_is_kept(project: Path) -> None:
    """A file that was edited by hand is not removed with its image either."""
    write(project / "build/other/Dockerfile", "by hand\n")
    (project / "stacks/other.yml").unlink()
    assert "error[edited-by-hand]: other/Dockerfile" in run(["render", "stacks"], project).stderr
    assert (project / "build/other/Dockerfile").read_text("utf-8") == "by hand\n"


def test_foreign_file_is_not_overwritten(tmp_path: Path) -> None:
    """A file that stackgen did not write is not overwritten without --force; one that is in nobody's way stays."""
    root = tree(tmp_path, FOUR | {"build/app/Dockerfile": "FROM mine\n", "build/app/notes.txt": "mine\n"})
    refused = run(["render", "stacks"], root)
    assert refused.code == 1
    assert "error[not-ours]: app/Dockerfile is there and was not rendered by stackgen" in refused.stderr
    assert sorted(files_of(root / "build")) == ["app/Dockerfile", "app/notes.txt"]
    assert run(["render", "stacks", "--force"], root).code == 0
    assert files_of(root / "build")["app/notes.txt"] == b"mine\n"
    write(root / "stacks/app.yml", "from: debian:12\nname: app2\n")
    assert run(["render", "stacks"], root).code == 0
    assert files_of(root / "build/app") == {"notes.txt": b"mine\n"}


def test_check(project: Path) -> None:
    """--check writes nothing; it exits with 0 where all is up to date, with 3 where something is not, and says what."""
    fine = run(["render", "stacks", "--check"], project)
    assert (fine.code, fine.stdout, fine.stderr) == (0, "", "build: up to date\n")
    write(project / "stacks/app.yml", FOUR["stacks/app.yml"] + "env: {A: b}\n")
    write(project / "stacks/new.yml", "extends: base\n")
    (project / "stacks/other.yml").unlink()
    before = files_of(project / "build")
    stale = run(["render", "stacks", "--check"], project)
    assert stale.code == 3
    assert "out of date   build/app/Dockerfile\n" in stale.stdout
    assert "missing       build/new/Dockerfile\n" in stale.stdout
    assert "left over     build/other/Dockerfile\n" in stale.stdout
    assert stale.stderr == "build: out of date\n"
    assert files_of(project / "build") == before


def test_check_sees_a_mode(project: Path) -> None:
    """A mode that was changed is out of date as well, and the next render sets it right."""
    path = project / "build/app/Dockerfile"
    path.chmod(0o600)
    assert run(["render", "stacks", "--check"], project).code == 3
    assert "old mode 100600\nnew mode 100644\n" in run(["render", "stacks", "--diff"], project).stdout
    assert run(["render", "stacks"], project).code == 0
    assert modes_of(project / "build")["app/Dockerfile"] == "0644"


def test_diff(project: Path) -> None:
    """--diff shows what would change, as a patch, exits with 3 where there is something, and writes nothing."""
    assert run(["render", "stacks", "--diff"], project) == run(["render", "stacks", "--diff"], project)
    assert run(["render", "stacks", "--diff"], project).code == 0
    write(project / "stacks/app.yml", FOUR["stacks/app.yml"] + "env: {A: b}\n")
    write(project / "stacks/new.yml", "extends: base\n")
    before = files_of(project / "build")
    shown = run(["render", "stacks", "--diff"], project)
    assert shown.code == 3
    assert "--- a/app/Dockerfile\n+++ b/app/Dockerfile\n" in shown.stdout
    assert '\n+ENV A="b"\n' in shown.stdout
    assert "--- /dev/null\n+++ b/new/Dockerfile\n" in shown.stdout
    assert files_of(project / "build") == before


def test_stdout(tmp_path: Path) -> None:
    """--stdout prints one image's Dockerfile, nothing else, and writes nothing."""
    root = tree(tmp_path, FOUR)
    ran = run(["render", "stacks/app.yml", "--stdout", "base"], root)
    assert ran.code == 0
    assert ran.stdout.startswith("# Rendered by stackgen from stacks/base.yml.")
    assert ran.stdout.endswith('org.opencontainers.image.base.name="debian:12-slim"\n')
    assert ran.stderr == ""
    assert not (root / "build").exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 99}', '{"version": 1}', "\udcff"])
def test_broken_manifest(project: Path, text: str) -> None:
    """A manifest that cannot be read, or is of a later version, stops a render: nothing would be safe."""
    (project / "build" / MANIFEST).write_bytes(text.encode(errors="surrogateescape"))
    before = files_of(project / "build")
    write(project / "stacks/app.yml", "extends: base\n")
    ran = run(["render", "stacks"], project)
    assert ran.code == 1
    assert "error[broken-manifest]: .stackgen.json" in ran.stderr
    assert files_of(project / "build") == before
    assert run(["render", "stacks", "--force"], project).code == 0
    assert run(["render", "stacks", "--check"], project).code == 0


def test_killed_run_left_no_hand_edits(project: Path) -> None:
    """What a run wrote before it was killed is not taken for an edit by hand: the manifest that it meant is there."""
    old = json.loads((project / "build" / MANIFEST).read_text("utf-8"))
    write(project / "stacks/app.yml", FOUR["stacks/app.yml"] + "env: {A: b}\n")
    write(project / "stacks/db.yml", FOUR["stacks/db.yml"] + "env: {A: b}\n")
    run(["render", "stacks", "-o", "whole"], project)
    new = json.loads((project / "whole" / MANIFEST).read_text("utf-8"))
    # Killed after app's Dockerfile and before db's: a run writes down first what it is about to write.
    pending = {f"{name}/Dockerfile": new["images"][name]["files"]["Dockerfile"] for name in ("app", "db")}
    write(project / "build" / MANIFEST, json.dumps({**old, "pending": pending}))
    write(project / "build/app/Dockerfile", (project / "whole/app/Dockerfile").read_text("utf-8"))
    (project / "build/.new.new").mkdir()
    # In the meantime the stack says something else again.
    write(project / "stacks/app.yml", FOUR["stacks/app.yml"] + "env: {A: c}\n")
    ran = run(["render", "stacks"], project)
    assert ran.code == 0, ran.stderr
    assert "pending" not in json.loads((project / "build" / MANIFEST).read_text("utf-8"))
    # An edit is still found as one.
    write(project / "build/db/Dockerfile", "by hand\n")
    assert "edited-by-hand" in run(["render", "stacks"], project).stderr


def test_modes_under_a_umask(tmp_path: Path) -> None:
    """Files are 0644 or 0755 and folders 0755, whatever the umask: modes are part of what is built."""
    files = (
        "files: [{src: start, dest: /start}, {src: plain, dest: /etc/a/plain}, {content: x, dest: /x, mode: 0755}]\n"
    )
    root = tree(tmp_path / "project", {"app.yml": f"from: debian:12-slim\n{files}", "start": "x", "plain": "x"})
    (root / "start").chmod(0o700)
    (root / "plain").chmod(0o600)
    with umask(0o077):
        assert run(["render", "app.yml", "-o", "out/deep"], root).code == 0
    assert modes_of(root / "out") == {
        ".": "0755",
        "deep": "0755",
        "deep/.stackgen.json": "0644",
        "deep/app": "0755",
        "deep/app/.dockerignore": "0644",
        "deep/app/Dockerfile": "0644",
        "deep/app/rootfs": "0755",
        "deep/app/rootfs/etc": "0755",
        "deep/app/rootfs/etc/a": "0755",
        "deep/app/rootfs/etc/a/plain": "0644",
        "deep/app/rootfs/start": "0755",
        "deep/app/rootfs/x": "0755",
        "deep/compose.yaml": "0644",
        "deep/docker-bake.json": "0644",
    }


def test_errors_write_nothing(project: Path) -> None:
    """One error in one stack, and no file of any image is written, also those of images that are fine."""
    before = files_of(project / "build")
    write(project / "stacks/app.yml", FOUR["stacks/app.yml"] + "env: {A: b}\n")
    write(project / "stacks/db.yml", "extends: base\npackges: [x]\n")
    ran = run(["render", "stacks"], project)
    assert ran.code == 1
    assert ran.stderr.endswith("1 error; nothing was written\n")
    assert ran.stdout == ""
    assert files_of(project / "build") == before


def test_output_folder_is_a_file(tmp_path: Path) -> None:
    """An output folder that is a file is a finding, not a traceback, and the file stays."""
    root = tree(tmp_path, FOUR | {"build": "mine\n"})
    ran = run(["render", "stacks"], root)
    assert ran.code == 1
    assert "error[cannot-write]: build cannot be written" in ran.stderr
    assert (root / "build").read_text("utf-8") == "mine\n"


@pytest.mark.parametrize("link", ["app", "app/rootfs"])
def test_linked_folder(tmp_path: Path, link: str) -> None:
    """A link in the output folder does not lead a render to write somewhere else."""
    files = {"app.yml": "from: debian:12-slim\nfiles: [{content: x, dest: /etc/x}]\n", "elsewhere/keep": "mine\n"}
    root = tree(tmp_path, files)
    (root / "build" / link).parent.mkdir(parents=True)
    (root / "build" / link).symlink_to(root / "elsewhere")
    ran = run(["render", "app.yml"], root)
    assert ran.code == 1
    assert f"error[not-ours]: {link} is a link" in ran.stderr
    assert files_of(root / "elsewhere") == {"keep": b"mine\n"}


def test_linked_output_folder(tmp_path: Path) -> None:
    """An output folder that is itself a link is the user's own choice."""
    root = tree(tmp_path, FOUR)
    (root / "real").mkdir()
    (root / "build").symlink_to("real")
    assert run(["render", "stacks"], root).code == 0
    assert (root / "real/app/Dockerfile").is_file()


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder in the way of a file is a finding, also with --force."""
    root = tree(tmp_path, FOUR | {"build/app/Dockerfile/x": "mine\n"})
    assert "error[not-ours]: app/Dockerfile is there" in run(["render", "stacks"], root).stderr
    forced = run(["render", "stacks", "--force"], root)
    assert forced.code == 1
    assert "error[cannot-write]" in forced.stderr
    assert (root / "build/app/Dockerfile/x").read_text("utf-8") == "mine\n"


def test_exit_codes(tmp_path: Path) -> None:
    """0 is done, 1 invalid, 2 a wrong call, 3 out of date: everywhere."""
    root = tree(tmp_path, {"good.yml": "from: debian:12-slim\n", "bad.yml": "from: debian:12-slim\nx: 1\n"})
    assert run(["render", "good.yml", "--check"], root).code == 3
    assert run(["render", "good.yml"], root).code == 0
    for command in ("render", "validate", "inspect"):
        assert run([command, "good.yml"], root).code == 0
        assert run([command, "bad.yml"], root).code == 1
        assert run([command, "missing.yml"], root).code == 2
        assert run([command, "--nonsense"], root).code == 2
    assert run(["rendre"], root).code == 2
    assert run([], root).code in (0, 2)
    assert run(["--help"], root).code == 0
    assert run(["--version"], root).code == 0
