"""The JSON that comes in and goes out; PROTOCOL.md describes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal

State = Literal["published", "draft", "unpublished"]
ResultWord = Literal[
    "created",
    "published",
    "draft_saved",
    "unpublished",
    "moved",
    "unchanged",
    "superseded",
    "waiting",
    "conflict",
    "invalid",
]
ErrorCode = Literal[
    "editor_draft",
    "slug_taken",
    "parent_cycle",
    "page_trashed",
    "not_ours",
    "page_invalid",
    "missing_reference",
]
STATES = ("published", "draft", "unpublished")
EDITOR_DRAFT = ("conflict", "preserve", "overwrite")
DRIFT = ("tell", "undo")
#: Levels of objects and lists within a field; Python itself gives up at about a thousand.
DEPTH = 100


@dataclass(frozen=True)
class Key:
    """What names an object of the master system."""

    integration: str
    external_id: str

    def to_json(self) -> dict[str, str]:
        """As it stands in requests and answers."""
        return {"integration": self.integration, "externalId": self.external_id}


@dataclass(frozen=True)
class Place:
    """A parent that the site's own settings name."""

    name: str


@dataclass(frozen=True)
class Policy:
    """What to do where editors and the master system disagree."""

    editor_draft: Literal["conflict", "preserve", "overwrite"] = "conflict"
    drift: Literal["tell", "undo"] = "tell"


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one part of a desired page; ``path`` is a JSON Pointer into it."""

    path: str
    message: str

    def to_json(self) -> dict[str, str]:
        """As it stands in answers."""
        return {"path": self.path, "message": self.message}


@dataclass(frozen=True)
class DesiredPage:
    """A page as the master system wants it."""

    key: Key
    type: str
    #: None only for a page to be taken off.
    parent: Key | Place | None
    title: str
    slug: str | None
    fields: Mapping[str, Any]
    references: Mapping[str, str | None]
    sets: Mapping[str, list[str]]
    state: State
    message: str
    version: str | None

    def hash(self) -> str:
        """SHA-256 of all that is desired; the message that asked for it isn't part of that."""
        parent = self.parent.to_json() if isinstance(self.parent, Key) else self.parent and {"place": self.parent.name}
        content = [self.type, parent, self.title, self.slug, self.fields, self.references, self.state]
        sets = {name: sorted(set(ids)) for name, ids in self.sets.items()}
        text = json.dumps([*content, sets], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class PageResult:
    """What became of one desired page."""

    result: ResultWord
    page_id: str | None = None
    url: str | None = None
    urls: list[str] = field(default_factory=list)
    changes: dict[str, dict[str, Any]] | None = None
    drift: list[str] | None = None
    code: ErrorCode | None = None
    message: str = ""
    errors: list[FieldError] = field(default_factory=list)
    waits_for: list[Key] | None = None
    repeats: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """As it stands in answers."""
        error: dict[str, Any] | None = None
        if self.code is not None:
            error = {"code": self.code, "message": self.message}
            if self.errors:
                error["fields"] = [item.to_json() for item in self.errors]
        return {
            "result": self.result,
            "pageId": self.page_id,
            "url": self.url,
            "urls": self.urls,
            "changes": self.changes,
            "drift": self.drift,
            "error": error,
            "waitsFor": None if self.waits_for is None else [key.to_json() for key in self.waits_for],
            "repeats": self.repeats,
        }


class Malformed(Exception):
    """JSON of another shape than PROTOCOL.md says."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path or 'the body'}: {message}")
        self.path = path
        self.message = message


def policy_of(value: Any, path: str = "/policy") -> Policy:
    """Reads a policy; absent parts have their defaults. Raises Malformed."""
    raw = _object(value, path)
    _only(raw, {"editorDraft", "drift"}, path)
    return Policy(
        _one_of(raw.get("editorDraft", "conflict"), EDITOR_DRAFT, f"{path}/editorDraft"),
        _one_of(raw.get("drift", "tell"), DRIFT, f"{path}/drift"),
    )


def key_of(value: Any, path: str) -> Key:
    """Reads ``{integration, externalId}``. Raises Malformed."""
    raw = _object(value, path)
    return Key(
        _text(raw.get("integration"), f"{path}/integration", least=1, most=100),
        _text(raw.get("externalId"), f"{path}/externalId", least=1, most=500),
    )


def desired_of(value: Any) -> DesiredPage:
    """Reads one desired page. Raises Malformed, its path a JSON Pointer into this page."""
    raw = _object(value, "")
    known = {"integration", "externalId", "type", "parent", "title", "slug", "fields", "references", "sets"}
    _only(raw, known | {"state", "key", "version"}, "")
    slug, version = raw.get("slug"), raw.get("version")
    key = key_of(raw, "")
    state: State = _one_of(raw.get("state"), STATES, "/state")
    parent = None if raw.get("parent") is None and state == "unpublished" else _parent(raw.get("parent"))
    fields = _object(raw.get("fields", {}), "/fields")
    _storable(fields, "/fields")
    references = {
        name: None if target is None else _text(target, f"/references/{name}", most=200)
        for name, target in _object(raw.get("references", {}), "/references").items()
    }
    sets = {name: _texts(ids, f"/sets/{name}") for name, ids in _object(raw.get("sets", {}), "/sets").items()}
    return DesiredPage(
        key=key,
        type=_text(raw.get("type"), "/type", least=1, most=200),
        parent=parent,
        title=_text(raw.get("title"), "/title", most=10_000),
        slug=None if slug is None else _text(slug, "/slug", most=10_000),
        fields=fields,
        references=references,
        sets=sets,
        state=state,
        message=_text(raw.get("key"), "/key", least=1, most=200),
        version=None if version is None else _text(version, "/version", least=1, most=200),
    )


def _parent(value: Any) -> Key | Place:
    raw = _object(value, "/parent")
    kind = _one_of(raw.get("kind"), ("page", "place"), "/parent/kind")
    if kind == "page":
        return key_of(raw, "/parent")
    return Place(_text(raw.get("place"), "/parent/place", least=1, most=200))


def _object(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(path, "must be an object")
    return value


def _only(raw: dict[str, Any], known: set[str], path: str) -> None:
    for name in raw:
        if name not in known:
            raise Malformed(f"{path}/{name}", "is unknown")


def _text(value: Any, path: str, *, least: int = 0, most: int) -> str:
    if not isinstance(value, str):
        raise Malformed(path, "must be a text")
    if not least <= len(value) <= most:
        raise Malformed(path, f"must have {least} to {most} characters")
    _storable(value, path)
    return value


def _texts(value: Any, path: str) -> list[str]:
    if not isinstance(value, list):
        raise Malformed(path, "must be a list of texts")
    return [_text(item, f"{path}/{index}", most=200) for index, item in enumerate(value)]


def _one_of(value: Any, allowed: tuple[str, ...], path: str) -> Any:
    if not isinstance(value, str) or value not in allowed:
        raise Malformed(path, f"must be one of {', '.join(allowed)}")
    return value


def _storable(value: Any, path: str, depth: int = 0) -> None:
    """Databases refuse a zero character, and UTF-8 has no lone surrogates: better told here, with the path."""
    if depth > DEPTH:
        raise Malformed(path, f"is nested deeper than {DEPTH} levels")
    if isinstance(value, float) and not isfinite(value):
        raise Malformed(path, "is too large a number")
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise Malformed(path, "has a character that a database can't hold")
    elif isinstance(value, dict):
        for name, item in value.items():
            _storable(name, path)
            _storable(item, f"{path}/{name}", depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _storable(item, f"{path}/{index}", depth + 1)
