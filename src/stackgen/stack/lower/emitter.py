"""Takes the instructions of one image in order, knows at each what the image is like by then, and puts USER and
SHELL round what needs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from stackgen.diagnostics import Findings, Related, Span
from stackgen.docker import inherit
from stackgen.docker.errors import DockerfileError, ExpansionError, RefusedError, Unsayable
from stackgen.docker.instructions import Copy, Instruction, Shell, User
from stackgen.docker.shell import expand_word
from stackgen.docker.syntax import escape_dollar, literal_source, parse, quote, quote_path
from stackgen.know.catalog import Catalog, Family, Mirror
from stackgen.know.templates import TemplateFault, Templates
from stackgen.read.inputs import InputError, Inputs, OutsideError
from stackgen.read.source import Word
from stackgen.stack.expressions import Scope
from stackgen.stack.lower.steps import ContextFile, Indexes, Placed, Recipe, Step, beginning, placed
from stackgen.stack.model import Image, Supervisor, folder_of

ROOT_USERS = ("", "root", "0", "0:0", "root:root", "root:0", "0:root")
PLAIN_SHELL = ("/bin/sh", "-c")
# Shells that run what is written for /bin/sh.
POSIX_SHELLS = ("sh", "ash", "bash", "dash")
# Stands where a word should that cannot be said: the finding is kept, and one that follows from it is none.
_OTHER = "unsayable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Above:
    """What an image stands on: its parent's configuration, and what its ancestors have already done."""

    config: inherit.Config
    known: bool
    """Whether the outside image at the root is known; else its USER and all else is a guess."""
    packages: Mapping[str, str]
    """System packages that an ancestor installed, and which image did."""
    repositories: Mapping[str, bool]
    """Repositories whose files lie in the image, and whether each is on."""
    mirror: str
    indexes: Indexes
    pip: bool
    users: Mapping[str, Span]
    """Users that an ancestor added, and where."""
    modules: Mapping[str, Word]
    """Modules of which an ancestor enabled a stream, and where it says so."""
    supervisor: Supervisor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What lowering works with."""

    inputs: Inputs
    catalog: Catalog
    templates: Templates
    scope: Scope
    findings: Findings
    builder: str


class Emitter:
    """The steps and files of one image, as they come."""

    def __init__(self, image: Image, above: Above, tools: Tools) -> None:
        self.image = image
        self.above = above
        self.tools = tools
        self.findings = tools.findings
        self.state = self._begin()
        self.steps: list[Step] = []
        self.stages: list[Step] = []
        self.files: dict[str, ContextFile] = {}
        self.users = dict(above.users)
        self.modules = dict(above.modules)
        self.packages = above.packages
        self._folders: set[str] = set()
        # The USER that the image has where nobody needs root: inherited, or said by a `user` of its own.
        self.declared_user = "root"
        self.declare_user()
        self._user_known = above.known
        self.declared_shell = self.state.config.shell
        self._key = ""
        self._own_order = False
        self._placed: list[Placed] = []
        # What the next USER or SHELL that is put round others is there for.
        self.cause: Span | None = None

    def _begin(self) -> inherit.State:
        try:
            return beginning(self.image, self.above.config)
        except (DockerfileError, RefusedError) as error:
            self.findings.error(
                "refused",
                f"Docker refuses what an ONBUILD of {self.image.parent} does here: {error}",
                self.image.spans.get("extends") or self.image.spans.get("from"),
            )
            return beginning(self.image, replace(self.above.config, on_build=()))

    @property
    def user(self) -> str:
        """The USER by now."""
        return self.state.config.user

    @property
    def env(self) -> dict[str, str]:
        """The ENV by now."""
        return dict(self.state.config.env)

    @property
    def family(self) -> Family | None:
        """The package manager family of the image's distribution."""
        distribution = self.image.distribution
        return self.tools.catalog.family(distribution.family) if distribution else None

    @property
    def mirror_name(self) -> str:
        """The mirror that the image asks for or, before it, an ancestor."""
        return self.image.mirror.text if self.image.mirror else self.above.mirror

    @property
    def mirror(self) -> Mirror | None:
        """That mirror; None where nobody knows it."""
        return self.tools.catalog.mirror(self.mirror_name)

    def begin(self, key: str, *, own_order: bool = False) -> None:
        """Let what follows belong to a step of this key."""
        self.close()
        self._key, self._own_order = key, own_order

    def close(self) -> None:
        """End the step that is open."""
        if self._placed:
            self.steps.append(Step(self._key, tuple(self._placed), self._own_order))
            self._placed = []

    def add(
        self,
        instruction: Instruction,
        span: Span | None,
        text: str | None = None,
        *,
        parts: Iterable[Span | None] = (),
        passing: bool = False,
    ) -> None:
        """Take an instruction; one that the engine would refuse is a finding at its place.

        `parts` are the places of its variables, labels, ports or volumes; `passing` says that it is there for others.
        """
        try:
            if text is None:
                self._placed.append(placed(instruction, span, tuple(parts), passing=passing))
            else:
                self._placed.append(Placed(instruction, text, span))
            self.state = inherit.apply(self.state, instruction)
        except Unsayable as error:
            reason = error.reason.removeprefix(f"no Dockerfile can say {type(instruction).__name__.upper()} so: ")
            self.findings.error("unsayable", f"a Dockerfile cannot say this: {reason}", span)
        except (RefusedError, DockerfileError) as error:
            self.findings.error("refused", f"Docker refuses this: {error}", span)

    def add_text(self, text: str, span: Span | None) -> None:
        """Take an instruction that a template wrote."""
        try:
            for each in parse(text):
                self.add(each.instruction, span, text)
        except DockerfileError as error:
            self.findings.error("refused", f"Docker refuses this: {error.message}", span)

    def run(self, name: str, span: Span | None, /, **names: object) -> bool:
        """Take the RUN of a template, as root and without the stack's own SHELL; say whether there is one."""
        text = self.render(name, span, **names)
        if text is not None:
            self.as_root(span)
            self.plain_shell()
            self.add_text(text.strip("\n"), span)
        return text is not None

    def render(self, name: str, span: Span | None, /, **names: object) -> str | None:
        """Give a template's text, or None with a finding."""
        try:
            return self.tools.templates.render(name, **names)
        except TemplateFault as fault:
            fault.tell(self.findings, span)
            return None

    def word(self, value: str, span: Span | None) -> str:
        """Give a value as a Dockerfile word of a path's kind, or another one with a finding."""
        try:
            return quote_path(value)
        except Unsayable as error:
            self.findings.error("unsayable", f"a Dockerfile cannot say this: {error.reason}", span)
            return _OTHER

    def source(self, path: str, span: Span | None) -> str:
        """Give what COPY or ADD takes as a word, or another one with a finding."""
        try:
            return literal_source(path)
        except Unsayable as error:
            self.findings.error("unsayable", f"a Dockerfile cannot copy {path!r}: {error.reason}", span)
            return _OTHER

    def expand(self, value: str, span: Span) -> str | None:
        """Give a value with the image's ENV put in, or None with a finding."""
        try:
            return expand_word(quote(value), self.env)
        except Unsayable as error:
            self.findings.error("unsayable", f"a Dockerfile cannot say this: {error.reason}", span)
        except ExpansionError as error:
            self.findings.error("refused", f"Docker refuses this: {error}", span)
        return None

    def file(self, path: str, content: bytes | Recipe, mode: int, span: Span | None) -> bool:
        """Put a file into the build context; a second one at the same place is a finding."""
        other = self.files.get(path)
        if other is not None and other.content != content:
            self.findings.error(
                "doubled-dest",
                f"two files go to /{path.removeprefix('rootfs/')}"
                if path.startswith("rootfs/")
                else f"two files go to {path}",
                span,
                help="keep one of the two" if other.span else "stackgen writes the other one: leave this one out",
                related=[Related("the other one", other.span)] if other.span else (),
            )
            return False
        parts = path.split("/")
        above = ["/".join(parts[:count]) for count in range(1, len(parts))]
        blocking = next((each for each in above if each in self.files), path if path in self._folders else None)
        if blocking is not None:
            place = f"/{blocking.removeprefix('rootfs/')}" if path.startswith("rootfs/") else blocking
            self.findings.error(
                "doubled-dest", f"{place} would be a file and a folder", span, help="keep one of the two"
            )
            return False
        self._folders.update(above)
        self.files[path] = ContextFile(path=path, content=content, mode=mode, span=span)
        return other is None

    def project_file(self, word: Word) -> bytes | None:
        """Give the bytes of a file that a stack names by its path, or None with a finding."""
        path = self.tools.inputs.inside(folder_of(word.span), word.text)
        try:
            if path is None:
                raise OutsideError(word.text, "leaves the project")
            return self.tools.inputs.read(path)
        except InputError as error:
            code = error.code if isinstance(error, OutsideError) else "file-missing"
            self.findings.error(
                code, f'"{word.text}" {error.reason}', word.span, help="paths start at the file's own folder"
            )
            return None

    def copy(self, paths: Iterable[str], span: Span | None, flags: tuple[str, ...] = ()) -> None:
        """Copy files of `rootfs/` to the same paths in the image: one COPY for each directory, so that none that is
        there gets the context's modes.
        """
        by_folder: dict[str, list[str]] = {}
        for path in sorted(set(paths)):
            by_folder.setdefault(path.rpartition("/")[0], []).append(path)
        for folder, members in sorted(by_folder.items()):
            files = [self.files[f"rootfs/{path}"] for path in members]
            sources = tuple(self.source(file.path, file.span) for file in files)
            dest = self.word(escape_dollar(f"/{folder}/" if folder else "/"), span)
            self.add(Copy(sources=sources, dest=dest, flags=flags), files[0].span or span)

    def as_root(self, span: Span | None) -> None:
        """Be root from here on, for what stands at `span`."""
        self.cause = span
        if not self._user_known and self.image.section("user") is None:
            self._user_known = True
            self.findings.error(
                "unknown-user",
                f"this needs root, and afterwards the USER of {self.image.parent} again, which nobody knows",
                span,
                help='say in the root what its image brings: inherits: {user: "1000"}, or inherits: {} for nothing',
            )
        surely_root = self.user == "root" or (self.above.known and self.user in ROOT_USERS)
        if not surely_root:
            self.add(User(user="root"), span, passing=True)

    def declare_user(self) -> None:
        """Take the USER of the moment, as it is whatever its variables become, as the image's own."""
        self.declared_user = quote_path(escape_dollar(self.user)) if self.user else "root"

    def as_declared(self) -> None:
        """Be whom the image declares from here on."""
        self.as_user(self.declared_user)

    def as_user(self, word: str) -> None:
        """Be the user that a Dockerfile word names from here on."""
        try:
            wanted = expand_word(word, self.env)
        except ExpansionError:
            wanted = word
        if wanted != self.user and not (wanted in ROOT_USERS and self.user in ROOT_USERS):
            self.add(User(user=word), self.cause, passing=True)

    def plain_shell(self) -> None:
        """Let RUN use /bin/sh, which is what package managers' commands are written for."""
        shell = self.state.config.shell
        if shell is not None and not (shell[0].rpartition("/")[2] in POSIX_SHELLS and shell[-1].endswith("c")):
            self.add(Shell(argv=PLAIN_SHELL), self.cause, passing=True)

    def own_shell(self) -> None:
        """Let RUN use the image's own SHELL again."""
        if self.state.config.shell != self.declared_shell and self.declared_shell is not None:
            self.add(Shell(argv=self.declared_shell), self.cause, passing=True)

    def declare_shell(self, argv: tuple[str, ...], span: Span) -> None:
        """Take the image's own SHELL."""
        self.declared_shell = argv
        self.add(Shell(argv=argv), span)
