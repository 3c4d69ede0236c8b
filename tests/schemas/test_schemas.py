"""The schemas are the reference of the language: complete, explained, and right about their own examples."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = {path.name: json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "schemas").glob("*.json"))}
REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()
)

# What the reader of schemas knows how to walk and how to put into words.
KEYWORDS = {
    "$schema", "$id", "$defs", "$ref", "title", "description", "markdownDescription", "examples", "default",
    "type", "enum", "pattern", "minLength", "minimum", "maximum", "minItems", "minProperties", "maxProperties",
    "items", "properties", "patternProperties", "additionalProperties", "propertyNames", "required", "anyOf",
    "x-takes", "x-words", "x-later", "x-merge", "x-image", "x-interpolates",
}  # fmt: skip
MERGES = {"replace", "by:dest", "by:name"}


class Place(NamedTuple):
    """A subschema: which file it stands in, the path to it, and itself."""

    file: str
    path: str
    schema: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.file}#{self.path}"


def places(file: str, schema: Any, path: str = "") -> Iterator[Place]:
    """Give every subschema of a schema, as written; a `$ref` is not followed."""
    if not isinstance(schema, dict):
        return
    yield Place(file, path, schema)
    for keyword in ("$defs", "properties", "patternProperties"):
        for name, inner in schema.get(keyword, {}).items():
            yield from places(file, inner, f"{path}/{keyword}/{name}")
    for keyword in ("items", "additionalProperties", "propertyNames"):
        yield from places(file, schema.get(keyword), f"{path}/{keyword}")
    for index, inner in enumerate(schema.get("anyOf", ())):
        yield from places(file, inner, f"{path}/anyOf/{index}")


ALL = [place for file, schema in SCHEMAS.items() for place in places(file, schema)]
PROPERTIES = [place for place in ALL if place.path.split("/")[-2:-1] == ["properties"]]


def whole(place: Place) -> dict[str, Any]:
    """Give a subschema with what its `$ref` names; what stands beside the `$ref` wins."""
    schema, file = place.schema, place.file
    while "$ref" in schema:
        name, _, pointer = schema["$ref"].partition("#")
        file = name or file
        target = SCHEMAS[file]
        for part in pointer.split("/")[1:]:
            target = target[part]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def validator(file: str, path: str = "") -> Draft202012Validator:
    """Give a validator of a subschema, by the path to it."""
    return Draft202012Validator({"$ref": f"{SCHEMAS[file]['$id']}#{path}"}, registry=REGISTRY)


def faults(file: str, path: str, value: Any) -> list[str]:
    """Give what is wrong with a value, in jsonschema's words."""
    return [f"{error.json_path}: {error.message}" for error in validator(file, path).iter_errors(value)]


@pytest.mark.parametrize("file", SCHEMAS)
def test_schema_is_a_schema(file: str) -> None:
    """A schema that breaks the metaschema would be read differently by every editor."""
    Draft202012Validator.check_schema(SCHEMAS[file])
    assert SCHEMAS[file]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMAS[file]["$id"].endswith(f"/{file}")


def test_every_reference_leads_somewhere() -> None:
    """A `$ref` to nothing would only fail when a user first writes the key."""
    for place in ALL:
        whole(place)


def test_keywords_are_those_that_the_reader_knows() -> None:
    """A keyword that the reader does not walk would type scalars wrongly or speak JSON Schema to users."""
    unknown = [f"{place}: {key}" for place in ALL for key in place.schema if key not in KEYWORDS]
    assert not unknown, "\n".join(unknown)


def test_every_property_is_described_and_shown() -> None:
    """The descriptions and examples are the reference, for people and for editors: no key is without."""
    poor = [str(place) for place in PROPERTIES if not whole(place).get("description")]
    bare = [str(place) for place in PROPERTIES if not whole(place).get("examples")]
    assert not poor + bare, "\n".join(["no description:", *poor, "no examples:", *bare])


def test_descriptions_are_sentences() -> None:
    """Each description reads as a sentence, so that the pages made of them do."""
    texts = {str(place): place.schema["description"] for place in ALL if "description" in place.schema}
    bad = [
        where
        for where, text in texts.items()
        if not text.endswith((".", ".)"))
        or not (text[0].isupper() or text[0] in "`(" or text.startswith("supervisord"))
    ]
    exempt = {"host publishes"}
    bad = [where for where in bad if not any(texts[where].startswith(start) for start in exempt)]
    assert not bad, "\n".join(f"{where}: {texts[where]}" for where in bad)


@pytest.mark.parametrize("place", [place for place in ALL if "examples" in place.schema], ids=str)
def test_examples_are_valid(place: Place) -> None:
    """An example that its own schema refuses teaches the wrong thing."""
    for example in place.schema["examples"]:
        assert not faults(place.file, place.path, example), example


@pytest.mark.parametrize("place", [place for place in ALL if "default" in place.schema], ids=str)
def test_defaults_are_valid(place: Place) -> None:
    """An editor writes the default for the user, who would then get an error."""
    assert not faults(place.file, place.path, place.schema["default"])


def test_every_value_is_put_into_words() -> None:
    """Whatever can be refused has words for the message, or it would fall back to JSON Schema's."""
    can_fail = {"type", "enum", "pattern", "minLength", "minimum", "maximum", "minItems", "anyOf"}
    silent = [
        str(place)
        for place in ALL
        if can_fail & whole(place).keys() and "x-takes" not in whole(place) and not place.path.endswith("anyOf/0")
    ]
    assert not silent, "\n".join(silent)


def test_words_fit_their_message() -> None:
    """The words continue "`key` takes …, not …": they begin small and end without a full stop."""
    bad = [
        f"{place}: {takes}"
        for place in ALL
        if (takes := place.schema.get("x-takes")) is not None
        and (
            takes.endswith(".")
            or (takes[0].isupper() and not re.match(r"[A-Z]{2,}|CPUs|NAME|SOURCE|HOST|Dockerfile", takes))
        )
    ]
    assert not bad, "\n".join(bad)


def test_closed_maps_are_closed_simply() -> None:
    """A map with fixed keys refuses others by additionalProperties, whose error names the key and nothing else."""
    open_maps = [
        str(place) for place in ALL if "properties" in place.schema and "additionalProperties" not in place.schema
    ]
    assert not open_maps, "\n".join(open_maps)


def test_words_of_other_worlds_are_no_keys_of_ours() -> None:
    """An answer to a foreign word that is also a key of the same map could never be given."""
    bad = [
        f"{place}: {word}"
        for place in ALL
        for word in place.schema.get("x-words", ())
        if word in place.schema.get("properties", ()) or word != word.lower()
    ]
    assert not bad, "\n".join(bad)


def test_answers_to_foreign_words_are_help_lines() -> None:
    """An answer is printed after "help: ": no full stop at its end, and every backquote is closed."""
    bad = [
        f"{place}: {word}"
        for place in ALL
        for word, answer in place.schema.get("x-words", {}).items()
        if answer.endswith(".") or answer.count("`") % 2
    ]
    assert not bad, "\n".join(bad)


def test_merging_is_said_of_lists_alone() -> None:
    """`x-merge` says how a list merges: elsewhere, or with another word, it would be passed over in silence."""
    bad = [
        f"{place}: {place.schema['x-merge']}"
        for place in ALL
        if "x-merge" in place.schema and (place.schema["x-merge"] not in MERGES or place.schema.get("type") != "array")
    ]
    assert not bad, "\n".join(bad)


def test_one_value_written_as_a_list_is_replaced() -> None:
    """A command of an overlay replaces the stack's; appended, it would run something that nobody wrote."""
    for path in ("/$defs/execForm", "/$defs/shell", "/$defs/healthcheckOptions/properties/test/anyOf/1"):
        assert find("stack.json", path)["x-merge"] == "replace"
    assert find("service.json", "/$defs/command/anyOf/1")["x-merge"] == "replace"
    assert find("supervisord.json", "/$defs/program/properties/exitcodes")["x-merge"] == "replace"
    assert find("stack.json", "/$defs/files")["x-merge"] == "by:dest"
    assert find("stack.json", "/$defs/users")["x-merge"] == "by:name"
    for name in ("packageList", "run", "expose", "volumes", "onbuild", "steps", "pip", "repositories", "include"):
        assert "x-merge" not in find("stack.json", f"/$defs/{name}")


def find(file: str, path: str) -> dict[str, Any]:
    """Give the subschema at a path."""
    return next(place.schema for place in ALL if place.file == file and place.path == path)


def keys(file: str, path: str = "") -> set[str]:
    """Give the keys of the map at a path."""
    return set(find(file, path)["properties"])


STRUCTURE = {place.path.split("/")[-1] for place in ALL if place.schema.get("x-image") is False}


def test_an_overlay_has_the_keys_that_may_depend_on_a_condition() -> None:
    """A key that is new in a stack is not forgotten under `when`, and what decides the structure is not let in."""
    assert keys("stack.json", "/$defs/overlay") == keys("stack.json") - STRUCTURE


def test_a_fragment_has_the_keys_of_a_stack_without_a_parent() -> None:
    """A key that is new in a stack is not forgotten in fragments."""
    assert keys("fragment.json") == keys("stack.json") - STRUCTURE | {"params", "include", "when"}


def test_a_step_may_be_any_instruction_of_a_stack() -> None:
    """What has an order of its own can be any of the usual order's words, which the description lists."""
    text = find("stack.json", "/$defs/steps")["description"]
    order = set(text.split("The usual order: ")[1].rstrip(".").split(", "))
    assert keys("stack.json", "/$defs/step") == order - {"steps"} | {"raw"}


def test_what_comes_later_is_what_issue_3_says() -> None:
    """Nothing else answers "not there yet", and what does keeps its schema for editors."""
    later = {str(place) for place in ALL if "x-later" in place.schema}
    assert later == {
        "stack.json#/$defs/extends/anyOf/1/properties/with",
        "stack.json#/$defs/include/items/anyOf/1/properties/with",
        "stack.json#/$defs/matrix",
        "stack.json#/$defs/stages",
        "stack.json#/$defs/copiedFile/properties/stage",
        "fragment.json#/$defs/params",
        "service.json#/$defs/services",
    }


# supervisord's own source is the judge of its options.


def supervisor_options() -> dict[str, set[str]]:
    """Give the option names that supervisord reads, by kind of section, from its source."""
    options = pytest.importorskip("supervisor.options")
    own, groups, processes = (
        inspect.getsource(getattr(options.ServerOptions, name))
        for name in ("read_config", "process_groups_from_parser", "_processes_from_section")
    )
    in_section = r"get\(\s*section,\s*'(\w+)'"
    process = set(re.findall(in_section, processes))
    for suffix in re.findall(r"_key = '%s_(\w+)' % k", processes):
        process |= {f"stdout_{suffix}", f"stderr_{suffix}"}
    parts = re.split(r"# process (heterogeneous|\"normal\" homogeneous|\"event listener\"|fastcgi)", groups)
    by_kind = {kind: set(re.findall(in_section, part)) for kind, part in zip(parts[1::2], parts[2::2], strict=True)}
    return {
        "program": process | by_kind['"normal" homogeneous'],
        "group": by_kind["heterogeneous"],
        # It reads redirect_stderr in order to refuse it.
        "eventlistener": (process | by_kind['"event listener"']) - {"redirect_stderr"},
        "supervisord": set(re.findall(r"(?<!\.)\bget\('(\w+)',", own)),
    }


@pytest.mark.parametrize("section", ["program", "group", "eventlistener", "supervisord"])
def test_options_are_supervisords(section: str) -> None:
    """Every option that supervisord reads can be written, and none that it would pass over in silence."""
    assert keys("supervisord.json", f"/$defs/{section}") == supervisor_options()[section]


def test_events_are_supervisords() -> None:
    """Every event that supervisord sends can be listened to."""
    events = pytest.importorskip("supervisor.events")
    known = {name for name in vars(events.EventTypes) if name.isupper()}
    assert set(find("supervisord.json", "/$defs/event")["enum"]) == known


@pytest.mark.parametrize("option", sorted(keys("supervisord.json", "/$defs/program")))
def test_defaults_are_supervisords(option: str) -> None:
    """A default that the schema shows is what supervisord does where nothing is written."""
    options = pytest.importorskip("supervisor.options")
    text = inspect.getsource(options.ServerOptions._processes_from_section)
    said = find("supervisord.json", f"/$defs/program/properties/{option}").get("default")
    suffix = re.sub(r"^(stdout|stderr)_", "", option)
    key = re.search(rf"(\w+_key) = '%s_{suffix}' % k", text)
    name = key[1] if key and suffix != option else f"'{option}'"
    found = re.search(rf"get\(section,\s*{name},\s*(?:'([^']*)'|([^',)]+))", text)
    assert found, option
    shown = said[0] if isinstance(said, list) else said
    # supervisord reads AUTO and nothing alike.
    theirs = "AUTO" if option == "serverurl" else found[1] or found[2]
    assert said is None or str(shown).lower() == theirs.lower()


# Compose's own schema is the judge of its keys.


def compose_spec() -> dict[str, Any]:
    """Give Compose's own schema, which check-jsonschema carries."""
    carrier = pytest.importorskip("check_jsonschema")
    path = Path(carrier.__file__).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    return json.loads(path.read_text("utf-8"))["$defs"]  # type: ignore[no-any-return]


def test_every_key_of_a_compose_service_is_known() -> None:
    """Any key of Compose can be written under `service`, or is answered with what to write instead."""
    spec = compose_spec()
    theirs = {key for name in ("service", "container_spec", "workload_spec") for key in spec[name]["properties"]}
    written_by_us = {"image", "build", "extends"}
    assert keys("service.json") == theirs - written_by_us
    assert written_by_us <= find("service.json", "")["x-words"].keys()
    assert keys("service.json", "/$defs/extraService") == keys("service.json") | {"stack"}
    first = {*spec["container_spec"]["properties"], *spec["pre_start_hook"]["properties"]}
    assert keys("service.json", "/$defs/initContainer") == first


ANY_NAME = "patternProperties/^[a-zA-Z0-9._-]+$"
RESOURCES = "deployment/properties/resources"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("service.json#/$defs/healthcheck", "healthcheck"),
        ("service.json#/$defs/deploy", "deployment"),
        ("service.json#/$defs/resources", RESOURCES),
        ("service.json#/$defs/resources/properties/limits", f"{RESOURCES}/properties/limits"),
        ("service.json#/$defs/resources/properties/reservations", f"{RESOURCES}/properties/reservations"),
        ("service.json#/$defs/rollout", "deployment/properties/update_config"),
        ("service.json#/$defs/restartPolicy", "deployment/properties/restart_policy"),
        ("service.json#/$defs/placement", "deployment/properties/placement"),
        ("service.json#/$defs/develop", "development"),
        ("service.json#/$defs/watchRule", "development/properties/watch/items"),
        ("service.json#/$defs/hook", "service_hook"),
        ("service.json#/$defs/requiredDevice", "devices/items"),
        ("service.json#/$defs/reservedDevice", "gpus/oneOf/1/items"),
        ("service.json#/$defs/publishedPort/anyOf/1", "workload_spec/properties/ports/items/oneOf/2"),
        ("service.json#/$defs/mount/anyOf/1", "container_spec/properties/volumes/items/oneOf/1"),
        ("service.json#/$defs/joinedNetwork", f"container_spec/properties/networks/oneOf/1/{ANY_NAME}/oneOf/0"),
        ("service.json#/$defs/usedModel", f"container_spec/properties/models/oneOf/1/{ANY_NAME}/oneOf/0"),
        ("service.json#/$defs/blockDevices", "container_spec/properties/blkio_config"),
        ("service.json#/$defs/grant", "service_config_or_secret/items/oneOf/1"),
        ("service.json#/$defs/logging", "container_spec/properties/logging"),
        ("service.json#/$defs/dependency", f"workload_spec/properties/depends_on/oneOf/1/{ANY_NAME}"),
        ("service.json#/properties/credential_spec", "container_spec/properties/credential_spec"),
        ("service.json#/properties/provider", "service/properties/provider"),
        ("compose.json#/$defs/volume", "volume"),
        ("compose.json#/$defs/network", "network"),
        ("compose.json#/$defs/ipam", "network/properties/ipam"),
        ("compose.json#/$defs/addressRange", "network/properties/ipam/properties/config/items"),
        ("compose.json#/$defs/secret", "secret"),
        ("compose.json#/$defs/config", "config"),
        ("compose.json#/$defs/model", "model"),
    ],
)  # fmt: skip
def test_inner_keys_are_composes(ours: str, theirs: str) -> None:
    """The maps inside a service have Compose's keys too, each of them and no other."""
    target: Any = compose_spec()
    for part in theirs.split("/"):
        target = target[int(part) if isinstance(target, list) else part]
    file, _, path = ours.partition("#")
    assert keys(file, path) == set(target["properties"])


@pytest.mark.parametrize("key", sorted(keys("service.json")))
def test_examples_of_a_service_are_composes(key: str) -> None:
    """What our reference shows for a service, Compose itself takes."""
    spec = compose_spec()
    theirs = Draft202012Validator({"$ref": "#/$defs/service", "$defs": spec})
    place = next(place for place in PROPERTIES if place.file == "service.json" and place.path == f"/properties/{key}")
    for example in whole(place)["examples"]:
        errors = [error.message for error in theirs.iter_errors({key: example})]
        assert not errors, (example, errors)


# The data files and the contract's own stacks, typed by hand.


class _Loader(yaml.SafeLoader):
    """YAML whose dates stay text, as the field's type says."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
DATA = [
    ("distro.json", "distros/*.yml"),
    ("family.json", "families/*/family.yml"),
    ("mirror.json", "mirrors/*.yml"),
]


@pytest.mark.parametrize(
    ("file", "path"),
    [(file, path) for file, pattern in DATA for path in sorted((ROOT / "templates").glob(pattern))],
    ids=lambda value: value if isinstance(value, str) else "/".join(value.parts[-2:]),
)
def test_our_data_are_valid(file: str, path: Path) -> None:
    """The data that ship are what their schemas say, since they are read without a check."""
    assert not faults(file, "", yaml.load(path.read_text("utf-8"), _Loader))


PHP_FPM = {
    "description": "nginx and PHP-FPM under supervisord; children bring their application in app/",
    "extends": "centos7",
    "image": "csphere/php-fpm",
    "tag": "5.4",
    "env": {"APP_DIR": "/app"},
    "packages": ["nginx", "php-cli", "php-mysql", "php-gd", "php-mbstring", "php-fpm"],
    "files": [
        {"src": "php-fpm/nginx.conf.j2", "dest": "/etc/nginx/nginx.conf"},
        {"src": "php-fpm/www.conf.j2", "dest": "/etc/php-fpm.d/www.conf"},
    ],
    "programs": {"nginx": {"command": 'nginx -g "daemon off;"'}, "php-fpm": {"command": "php-fpm --nodaemonize"}},
    "expose": ["80", "443"],
    "onbuild": ["COPY --chown=nginx:nginx app/ /app/"],
    "when": {
        "apt": {"packages": ["nginx", "php-fpm", "php-mysql", "php-gd", "php-mbstring"]},
        "debian-12": {"tag": "8.2"},
    },
}
WORDPRESS = {
    "extends": "php-fpm",
    "image": "csphere/wordpress",
    "tag": "4.2",
    "files": [{"src": "wordpress/init.sh", "dest": "/init.sh", "mode": "0755"}],
    "context": [{"src": "wordpress/app", "dest": "app"}],
    "entrypoint": ["/init.sh", "supervisord", "-n", "-c", "/etc/supervisord.conf"],
    "service": {
        "ports": ["8080:80"],
        "environment": {
            "WORDPRESS_DB_HOST": "mysql",
            "WORDPRESS_DB_PASSWORD": "${DB_PASSWORD:?the password of WordPress's database user}",
        },
        "depends_on": ["mysql"],
    },
}
PROJECT = {
    "name": "shop",
    "stacks": ["stacks", "teams/*/stacks"],
    "registry": "registry.corp/shop",
    "proxies": {"docker.io": "nexus.corp:8443"},
    "mirror": "aliyun",
    "bases": {"centos7": "rocky9"},
    "builder": "buildkit",
    "output": "build",
    "templates": "templates",
    "data": "data",
    "certificates": ["certs/corp-ca.pem"],
    "inherits": {"quay.io/keycloak/keycloak": {"user": "1000"}},
    "labels": {"org.opencontainers.image.source": "https://example.org/shop"},
    "vars": {"php": "8.3"},
    "compose": {"volumes": {}, "networks": {}, "secrets": {}},
    "ignore": ["mutable-tag"],
}


@pytest.mark.parametrize(
    ("file", "value"),
    [
        ("stack.json", PHP_FPM),
        ("stack.json", WORDPRESS),
        ("project.json", PROJECT),
        ("stack.json", {"from": "centos:centos7.1.1503", "mirror": "aliyun", "repositories": ["epel"]}),
        ("stack.json", {"from": "scratch", "inherits": {}}),
        ("stack.json", {"from": "quay.io/keycloak/keycloak", "inherits": {"user": "1000", "entrypoint": ["kc.sh"]}}),
        ("stack.json", {"extends": {"stack": "php-fpm", "with": {"php": "8.3"}}}),
        ("stack.json", {"include": [{"file": "fragments/nodejs.yml", "with": {"version": "22"}}]}),
        ("stack.json", {"matrix": {"php": ["8.2", {"next": {"tag": "8.4"}}], "exclude": [{"php": "8.2"}]}}),
        ("stack.json", {"stages": {"build": {"from": "golang:1.23", "platform": "$BUILDPLATFORM", "run": ["make"]}}}),
        ("stack.json", {"files": [{"stage": "build", "src": "/out/app", "dest": "/usr/bin/app"}]}),
        ("stack.json", {"files": [{"dest": "/var/www", "directory": True, "owner": "www-data:www-data"}]}),
        ("stack.json", {"files": [{"dest": "$APP_DIR/log", "link": "/dev/stdout"}]}),
        ("stack.json", {"run": ["a | b", ["cd /x", "make"], {"sh": "make", "user": "root", "mounts": ["type=ssh"]}]}),
        ("stack.json", {"steps": [{"files": []}, {"run": ["a"]}, {"user": "app"}, {"raw": "RUN x"}]}),
        ("stack.json", {"supervisor": {"install": "pip", "logs": "files", "options": {"loglevel": "warn"}}}),
        ("stack.json", {"packages": {"add": ["a"], "remove": ["b"]}}),
        ("stack.json", {"users": [{"name": "app", "uid": "1000", "groups": ["audio"], "system": True}]}),
        ("stack.json", {"healthcheck": "none", "cmd": [], "entrypoint": "exec /init.sh $APP_DIR"}),
        ("stack.json", {"services": {"queue": {"stack": "redis"}, "migrate": {"command": ["/m"], "restart": "no"}}}),
        ("stack.json", {"service": {"environment": {"FOO": None}, "networks": {"back": None}, "x-team": {"a": [1]}}}),
        ("fragment.json", {"params": {"version": {"type": "string", "default": "22"}}, "run": ["npm ci"]}),
    ],
)  # fmt: skip
def test_the_contracts_examples_are_valid(file: str, value: Any) -> None:
    """What the contract shows can be written."""
    assert not faults(file, "", value)


@pytest.mark.parametrize(
    ("file", "value", "where"),
    [
        ("stack.json", {"packges": ["curl"]}, "$"),
        ("stack.json", {"tag": "-x"}, "$.tag"),
        ("stack.json", {"image": "csphere/PHP"}, "$.image"),
        ("stack.json", {"image": "csphere/php:5.4"}, "$.image"),
        ("stack.json", {"from": "debian 12"}, "$.from"),
        ("stack.json", {"expose": ["22:22"]}, "$.expose[0]"),
        ("stack.json", {"expose": ["70000"]}, "$.expose[0]"),
        ("stack.json", {"expose": ["53/upd"]}, "$.expose[0]"),
        ("stack.json", {"volumes": ["./data:/var/lib/mysql"]}, "$.volumes[0]"),
        ("stack.json", {"env": {"1A": "x"}}, "$.env"),
        ("stack.json", {"env": ["A=b"]}, "$.env"),
        ("stack.json", {"vars": {"distro": "x"}}, "$.vars"),
        ("stack.json", {"vars": {"not": "x"}}, "$.vars"),
        ("stack.json", {"stopsignal": "SIGFOO"}, "$.stopsignal"),
        ("stack.json", {"shell": "/bin/bash -c"}, "$.shell"),
        ("stack.json", {"healthcheck": "off"}, "$.healthcheck"),
        ("stack.json", {"files": [{"src": "a", "dest": "etc/a"}]}, "$.files[0].dest"),
        ("stack.json", {"files": [{"src": "a", "dest": "/a", "mode": "755"}]}, "$.files[0].mode"),
        ("stack.json", {"files": [{"src": "a", "dest": "/a", "mode": "0o755"}]}, "$.files[0].mode"),
        ("stack.json", {"files": [{"url": "x.tgz", "dest": "/a"}]}, "$.files[0].url"),
        ("stack.json", {"files": [{"src": "a"}]}, "$.files[0]"),
        ("stack.json", {"context": [{"src": "a", "dest": "/app"}]}, "$.context[0].dest"),
        ("stack.json", {"packages": ["--yes"]}, "$.packages"),
        ("stack.json", {"packages": [{"name": "tools"}]}, "$.packages"),
        ("stack.json", {"onbuild": ["app"]}, "$.onbuild[0]"),
        ("stack.json", {"steps": [{"run": ["a"], "user": "app"}]}, "$.steps[0]"),
        ("stack.json", {"steps": [{}]}, "$.steps[0]"),
        ("stack.json", {"programs": {"a:b": {"command": "x"}}}, "$.programs"),
        ("stack.json", {"programs": {"a": {"autorestart": "yes"}}}, "$.programs.a.autorestart"),
        ("stack.json", {"programs": {"a": {"numprocs": 0}}}, "$.programs.a.numprocs"),
        ("stack.json", {"eventlisteners": {"a": {"redirect_stderr": True}}}, "$.eventlisteners.a"),
        ("stack.json", {"when": {"apt": {"extends": "x"}}}, "$.when.apt"),
        ("stack.json", {"service": {"image": "x"}}, "$.service"),
        ("stack.json", {"service": {"ports": ["eighty"]}}, "$.service.ports[0]"),
        ("stack.json", {"service": {"restart": "allways"}}, "$.service.restart"),
        ("stack.json", {"service": {"stack": "redis"}}, "$.service"),
        ("fragment.json", {"extends": "x"}, "$"),
        ("project.json", {"builder": "kaniko"}, "$.builder"),
        ("project.json", {"compose": {"services": {}}}, "$.compose"),
        ("mirror.json", {"description": "x"}, "$"),
    ],
)  # fmt: skip
def test_one_fault_is_one_error_at_its_place(file: str, value: Any, where: str) -> None:
    """A fault is found where it is, and gives one error however deep the alternatives are."""
    errors = list(validator(file).iter_errors(value))
    assert {error.json_path for error in errors} == {where}
    if file != "mirror.json":
        assert len(errors) == 1
