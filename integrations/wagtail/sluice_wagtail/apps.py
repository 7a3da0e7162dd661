"""The Django app."""

from django.apps import AppConfig


class SluiceWagtailConfig(AppConfig):
    """Registers the system checks with Django."""

    name = "sluice_wagtail"
    label = "sluice_wagtail"
    verbose_name = "Sluice"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Called by Django once all models are there."""
        from . import checks  # noqa: F401
