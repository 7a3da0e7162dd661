"""The fields that an integration owns: how each is read, compared and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Protocol

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.utils import timezone
from modelcluster.fields import ParentalManyToManyField
from wagtail.fields import StreamField

from .conf import TypeRules
from .wire import DesiredPage, FieldError


class NotOwnable(Exception):
    """The settings name a field that can't be owned. The text says why."""


class UnknownTarget(Exception):
    """A reference points to a row that the site doesn't have."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


class Targets:
    """What the pages of one request refer to: each row is asked for once."""

    def __init__(self) -> None:
        self._rows: dict[tuple[type[models.Model], str], dict[Any, Any]] = {}

    def find(self, field: Any, key: Any, values: list[str], path: str) -> list[tuple[Any, Any]]:
        """The rows with these values in their key field, each after what a foreign key to it holds, in a fixed order.

        Raises UnknownTarget.
        """
        wanted: dict[Any, str] = {}
        bad: list[str] = []
        for value in values:
            try:
                wanted[key.to_python(value)] = value
            except ValidationError:
                bad.append(value)
        rows = self._rows.setdefault((field.related_model, key.attname), {})
        if missing := [value for value in wanted if value not in rows]:
            found = field.related_model._default_manager.filter(**{f"{key.attname}__in": missing})
            rows.update((getattr(row, key.attname), row) for row in found)
        bad.extend(text for value, text in wanted.items() if value not in rows)
        if bad:
            label = field.related_model._meta.label
            raise UnknownTarget([FieldError(path, f"there is no {label} with {key.name} '{value}'") for value in bad])
        held = _key(field, None).attname
        return sorted(((getattr(rows[value], held), rows[value]) for value in wanted), key=lambda pair: str(pair[0]))


class Owned(Protocol):
    """One owned field of a page type."""

    @property
    def name(self) -> str:
        """As the settings and the requests call it."""

    def clean(self, value: Any, targets: Targets) -> Any:
        """The JSON value as Python's. Raises ValidationError or UnknownTarget."""

    def read(self, page: Any) -> Any:
        """The page's value in a form that compares with ``==`` and can be shown."""

    def shown(self, value: Any) -> Any:
        """A cleaned value in the form of ``read``."""

    def write(self, page: Any, value: Any) -> None:
        """Sets a cleaned value on the page in memory; saving is someone else's."""


@dataclass(frozen=True)
class Scalar:
    """A plain column: text, number, date, boolean, JSON, rich text or a stream."""

    name: str
    field: Any

    def clean(self, value: Any, targets: Targets) -> Any:
        """Null becomes the empty text where the column has no null, as Django's forms do."""
        if value is None and not self.field.null and self.field.empty_strings_allowed:
            value = ""
        if isinstance(value, dict | list) and not isinstance(self.field, models.JSONField | StreamField):
            raise ValidationError("must be a text, a number, true, false or null")
        try:
            cleaned = self.field.clean(value, None)
        except (TypeError, ValueError, KeyError, AttributeError, ArithmeticError) as error:
            raise ValidationError(f"has another shape than the field takes ({error})") from error
        if isinstance(self.field, models.DateTimeField) and cleaned is not None and timezone.is_naive(cleaned):
            cleaned = timezone.make_aware(cleaned)
        return cleaned

    def read(self, page: Any) -> Any:
        """See Owned."""
        return self.shown(self.field.value_from_object(page))

    def shown(self, value: Any) -> Any:
        """See Owned. The ids that Wagtail gives to a stream's blocks aren't compared, nor what a revision drops."""
        if isinstance(self.field, StreamField):
            return _without_ids(self.field.stream_block.get_prep_value(value))
        prepared = self.field.get_prep_value(value)
        if isinstance(prepared, datetime | time):
            # Revisions are JSON, and Django writes no more than milliseconds there.
            return prepared.replace(microsecond=prepared.microsecond // 1000 * 1000)
        return prepared

    def write(self, page: Any, value: Any) -> None:
        """See Owned."""
        setattr(page, self.field.attname, value)


@dataclass(frozen=True)
class Reference:
    """A foreign key: to a snippet, an image, a document, a page, any model."""

    name: str
    field: Any
    key: Any

    def clean(self, value: Any, targets: Targets) -> Any:
        """The target's key. Raises UnknownTarget if no such row stands."""
        if value is None:
            return None
        return targets.find(self.field, self.key, [value], f"/references/{self.name}")[0][0]

    def read(self, page: Any) -> Any:
        """See Owned."""
        return self.shown(self.field.value_from_object(page))

    def shown(self, value: Any) -> Any:
        """See Owned."""
        return None if value is None else str(value)

    def write(self, page: Any, value: Any) -> None:
        """See Owned."""
        setattr(page, self.field.attname, value)


@dataclass(frozen=True)
class ManySet:
    """A ParentalManyToManyField. A plain ManyToManyField isn't part of revisions, so a draft of it can't be."""

    name: str
    field: Any
    key: Any

    def clean(self, value: Any, targets: Targets) -> Any:
        """The targets themselves. Raises UnknownTarget."""
        return [target for _, target in targets.find(self.field, self.key, value, f"/sets/{self.name}")]

    def read(self, page: Any) -> Any:
        """See Owned."""
        return sorted(str(key) for key in getattr(page, self.name).values_list(self._primary, flat=True))

    def shown(self, value: Any) -> Any:
        """See Owned."""
        return sorted(str(target.pk) for target in value)

    def write(self, page: Any, value: Any) -> None:
        """See Owned."""
        getattr(page, self.name).set(value)

    @property
    def _primary(self) -> str:
        # A set in memory, as a draft has it, doesn't know "pk".
        return str(self.field.related_model._meta.pk.attname)


@dataclass(frozen=True)
class ChildSet:
    """Child rows (``ParentalKey``) that each hold one foreign key, written ``relation.field`` in the settings.

    Rows that stay keep their other fields and their place; new ones come last.
    """

    name: str
    relation: Any
    field: Any
    key: Any

    def clean(self, value: Any, targets: Targets) -> Any:
        """The targets' keys. Raises UnknownTarget."""
        return [key for key, _ in targets.find(self.field, self.key, value, f"/sets/{self.name}")]

    def read(self, page: Any) -> Any:
        """See Owned."""
        return sorted(str(self.field.value_from_object(row)) for row in self._rows(page).all())

    def shown(self, value: Any) -> Any:
        """See Owned."""
        return sorted(str(key) for key in value)

    def write(self, page: Any, value: Any) -> None:
        """See Owned."""
        rows, wanted = self._rows(page), set(value)
        for row in list(rows.all()):
            if self.field.value_from_object(row) in wanted:
                wanted.discard(self.field.value_from_object(row))
            else:
                rows.remove(row)
        for key in sorted(wanted):
            rows.add(self.relation.related_model(**{self.field.attname: key}))

    def _rows(self, page: Any) -> Any:
        return getattr(page, self.relation.get_accessor_name())


@dataclass(frozen=True)
class Write:
    """An owned field with the value that is desired, and where in the request that stood."""

    owned: Owned
    value: Any
    path: str

    @property
    def shown(self) -> Any:
        """The desired value as ``changes`` shows it."""
        return self.owned.shown(self.value)


def scalar(model: type[models.Model], name: str) -> Owned:
    """Raises NotOwnable if the model has no such plain column."""
    field = _field(model, name)
    if not isinstance(field, models.Field) or not field.concrete or field.is_relation:
        raise NotOwnable(f"{model._meta.label}.{name} is no plain field.")
    return Scalar(name, field)


def reference(model: type[models.Model], name: str, by: str | None = None) -> Owned:
    """Raises NotOwnable if the model has no such foreign key, or its target no such unique field ``by``."""
    field = _field(model, name)
    if not isinstance(field, models.ForeignKey):
        raise NotOwnable(f"{model._meta.label}.{name} is no ForeignKey.")
    return Reference(name, field, _key(field, by))


def collection(model: type[models.Model], name: str, by: str | None = None) -> Owned:
    """Raises NotOwnable if the name is neither a ParentalManyToManyField nor ``child relation.foreign key``."""
    relation_name, dot, field_name = name.partition(".")
    relation = _field(model, relation_name)
    if not dot:
        if not isinstance(relation, ParentalManyToManyField):
            raise NotOwnable(
                f"{model._meta.label}.{name} is no ParentalManyToManyField; "
                "a plain ManyToManyField is no part of revisions."
            )
        return ManySet(name, relation, _key(relation, by))
    if not isinstance(relation, models.ManyToOneRel):
        raise NotOwnable(f"{model._meta.label}.{relation_name} is no child relation.")
    field = _field(relation.related_model, field_name)
    if not isinstance(field, models.ForeignKey):
        raise NotOwnable(f"{model._meta.label}.{name} leads to no ForeignKey.")
    return ChildSet(name, relation, field, _key(field, by))


def writes_of(
    desired: DesiredPage, model: type[models.Model], rules: TypeRules, targets: Targets
) -> tuple[list[Write], list[FieldError]]:
    """What the page carries, cleaned, with the errors beside it. Raises UnknownTarget."""
    writes: list[Write] = []
    errors: list[FieldError] = []
    missing: list[FieldError] = []
    parts: list[tuple[Owned, Any, str]] = [(scalar(model, "title"), desired.title, "/title")]
    if desired.slug is not None:
        parts.append((scalar(model, "slug"), desired.slug, "/slug"))
    groups: tuple[tuple[str, Mapping[str, Any], Mapping[str, str | None], Any], ...] = (
        ("fields", desired.fields, dict.fromkeys(rules.fields), lambda of, name, _: scalar(of, name)),
        ("references", desired.references, rules.references, reference),
        ("sets", desired.sets, rules.sets, collection),
    )
    for group, values, allowed, make in groups:
        for name, value in values.items():
            path = f"/{group}/{name}"
            if name not in allowed:
                errors.append(FieldError(path, "isn't among the fields that this site's settings allow"))
                continue
            parts.append((make(model, name, allowed[name]), value, path))
    for owned, value, path in parts:
        try:
            writes.append(Write(owned, owned.clean(value, targets), path))
        except ValidationError as error:
            errors.extend(FieldError(path, message) for message in error.messages)
        except UnknownTarget as unknown:
            missing.extend(unknown.errors)
    if missing and not errors:
        raise UnknownTarget(missing)
    return writes, errors


def differ_plainly(page: Any, writes: Iterable[Write]) -> bool:
    """Whether a plain column has another value than the desired one; asks the database for nothing."""
    return any(write.owned.read(page) != write.shown for write in writes if isinstance(write.owned, Scalar | Reference))


def differences(page: Any, writes: Iterable[Write]) -> dict[str, dict[str, Any]]:
    """The fields whose value isn't the desired one, before and after."""
    found = {}
    for write in writes:
        before, after = write.owned.read(page), write.shown
        if before != after:
            found[write.owned.name] = {"before": before, "after": after}
    return found


def _key(field: Any, by: str | None) -> Any:
    """The target's field that ids are values of; by default the one that the foreign key itself holds."""
    target = field.related_model
    if by is None:
        return field.target_field if isinstance(field, models.ForeignKey) else target._meta.pk
    key = _field(target, by)
    if not getattr(key, "unique", False):
        raise NotOwnable(f"{target._meta.label}.{by} isn't unique, so it names no target.")
    return key


def _field(model: type[models.Model], name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist as error:
        raise NotOwnable(f"{model._meta.label} has no field '{name}'.") from error


def _without_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_ids(item) for item in value]
    if isinstance(value, dict):
        # A block is {type, value, id}; any other dict keeps a field that happens to be called id.
        block = "type" in value and "value" in value
        return {key: _without_ids(item) for key, item in value.items() if not (block and key == "id")}
    return value
