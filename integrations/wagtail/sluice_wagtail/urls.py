"""Include it wherever the site likes: ``path("sluice/", include("sluice_wagtail.urls"))``."""

from django.urls import path

from .views import apply_view, lookup_view

app_name = "sluice_wagtail"

urlpatterns = [
    path("v1/apply/", apply_view, name="apply"),
    path("v1/lookup/", lookup_view, name="lookup"),
]
