"""The setting ``SLUICE_WAGTAIL``: who may write which fields of which page types, and where pages may go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

SETTING = "SLUICE_WAGTAIL"


@dataclass(frozen=True)
class TypeRules:
    """What one integration owns of one page type. Title and slug are always its own.

    ``references`` and ``sets`` say by which unique field of the target its id is meant; None is the primary key.
    """

    fields: frozenset[str]
    references: Mapping[str, str | None]
    sets: Mapping[str, str | None]


@dataclass(frozen=True)
class IntegrationRules:
    """What one integration may do."""

    name: str
    user: str | None
    types: Mapping[str, TypeRules]


@dataclass(frozen=True)
class Configuration:
    """The whole setting, checked. Units: seconds, pages, bytes."""

    secrets: tuple[str, ...]
    tolerance: int
    max_pages: int
    max_bytes: int
    places: Mapping[str, int | str]
    integrations: Mapping[str, IntegrationRules]


def configuration() -> Configuration:
    """The setting as it is now.

    Raises ImproperlyConfigured, which names the entry, if it has another shape.
    """
    return _configuration()


@lru_cache(maxsize=1)
def _configuration() -> Configuration:
    raw = _mapping(getattr(settings, SETTING, {}), SETTING)
    known = {"SECRETS", "TOLERANCE", "MAX_PAGES", "MAX_BYTES", "PLACES", "INTEGRATIONS"}
    _only(raw, known, SETTING)
    places = _mapping(raw.get("PLACES", {}), f"{SETTING}['PLACES']")
    for name, place in places.items():
        if isinstance(place, bool) or not isinstance(place, int | str):
            raise ImproperlyConfigured(
                f"{SETTING}['PLACES']['{name}'] must be a page's id or its url_path, such as '/home/news/'."
            )
    integrations = _mapping(raw.get("INTEGRATIONS", {}), f"{SETTING}['INTEGRATIONS']")
    return Configuration(
        secrets=_names(raw.get("SECRETS", ()), f"{SETTING}['SECRETS']"),
        tolerance=_positive(raw, "TOLERANCE", 300),
        max_pages=_positive(raw, "MAX_PAGES", 100),
        max_bytes=_positive(raw, "MAX_BYTES", 10 * 1024 * 1024),
        places=dict(places),
        integrations={name: _integration(name, value) for name, value in integrations.items()},
    )


def _integration(name: str, value: Any) -> IntegrationRules:
    where = f"{SETTING}['INTEGRATIONS']['{name}']"
    raw = _mapping(value, where)
    _only(raw, {"USER", "TYPES"}, where)
    user = raw.get("USER")
    if user is not None and not isinstance(user, str):
        raise ImproperlyConfigured(f"{where}['USER'] must be a user name.")
    types = _mapping(raw.get("TYPES", {}), f"{where}['TYPES']")
    return IntegrationRules(
        name, user, {label: _type(rules, f"{where}['TYPES']['{label}']") for label, rules in types.items()}
    )


def _type(value: Any, where: str) -> TypeRules:
    raw = _mapping(value, where)
    _only(raw, {"FIELDS", "REFERENCES", "SETS"}, where)
    return TypeRules(
        frozenset(_names(raw.get("FIELDS", ()), f"{where}['FIELDS']")),
        _targets(raw.get("REFERENCES", ()), f"{where}['REFERENCES']"),
        _targets(raw.get("SETS", ()), f"{where}['SETS']"),
    )


def _targets(value: Any, where: str) -> Mapping[str, str | None]:
    if isinstance(value, Mapping):
        if not all(isinstance(name, str) and isinstance(by, str) for name, by in value.items()):
            raise ImproperlyConfigured(
                f"{where} must be a list of fields, or a dict of field to the target's key field."
            )
        return dict(value)
    return dict.fromkeys(_names(value, where))


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ImproperlyConfigured(f"{where} must be a dict with text keys.")
    return value


def _only(raw: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(raw) - known)
    if unknown:
        raise ImproperlyConfigured(f"{where} has the unknown entry '{unknown[0]}'. Known: {', '.join(sorted(known))}.")


def _names(value: Any, where: str) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(v, str) for v in value):
        raise ImproperlyConfigured(f"{where} must be a list of texts.")
    return tuple(value)


def _positive(raw: Mapping[str, Any], name: str, default: int) -> int:
    value = raw.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ImproperlyConfigured(f"{SETTING}['{name}'] must be a whole number from 1.")
    return value


def _forget(*, setting: str, **_: Any) -> None:
    if setting == SETTING:
        _configuration.cache_clear()


setting_changed.connect(_forget, dispatch_uid="sluice_wagtail.conf")
