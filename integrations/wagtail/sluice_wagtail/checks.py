"""System checks: a wrong setting is told when the site starts, with the entry's name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from .conf import SETTING, TypeRules, configuration
from .owned import NotOwnable, Owned, collection, reference, scalar
from .signature import key_of
from .tree import page_model


@register()
def check_settings(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Secrets can be read, page types and their fields are there."""
    try:
        config = configuration()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="sluice_wagtail.E001")]
    found: list[CheckMessage] = []
    if not config.secrets:
        found.append(Warning(f"{SETTING}['SECRETS'] is empty: every request is refused.", id="sluice_wagtail.W001"))
    for index, secret in enumerate(config.secrets):
        try:
            key_of(secret)
        except ValueError as error:
            found.append(Error(f"{SETTING}['SECRETS'][{index}]: {error}.", id="sluice_wagtail.E002"))
    for integration in config.integrations.values():
        for label, rules in integration.types.items():
            where = f"{SETTING}['INTEGRATIONS']['{integration.name}']['TYPES']['{label}']"
            found.extend(_check_type(where, label, rules))
    return found


def _check_type(where: str, label: str, rules: TypeRules) -> list[CheckMessage]:
    try:
        model: Any = apps.get_model(label)
    except (LookupError, ValueError):
        return [Error(f"{where}: there is no model '{label}'.", id="sluice_wagtail.E003")]
    if not issubclass(model, page_model()) or model._meta.label != label:
        return [
            Error(
                f"{where}: '{label}' must be a page type, written {model._meta.label}.",
                id="sluice_wagtail.E003",
            )
        ]
    found: list[CheckMessage] = []
    made: list[tuple[Callable[..., Owned], str]] = [
        *((scalar, name) for name in sorted(rules.fields)),
        *((partial(reference, by=by), name) for name, by in sorted(rules.references.items())),
        *((partial(collection, by=by), name) for name, by in sorted(rules.sets.items())),
    ]
    for make, name in made:
        try:
            make(model, name)
        except NotOwnable as error:
            found.append(Error(f"{where}: {error}", id="sluice_wagtail.E004"))
    return found
