"""Organisation pages under a section, and what stands around them."""

from typing import Any

from django.db import models
from modelcluster.fields import ParentalManyToManyField
from wagtail.admin.panels import FieldPanel
from wagtail.fields import RichTextField
from wagtail.models import Page
from wagtail.search import index
from wagtail.snippets.models import register_snippet


@register_snippet
class District(models.Model):
    """A district, kept by the site itself."""

    ms_id = models.CharField(max_length=50, unique=True)
    title = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.title


@register_snippet
class Area(models.Model):
    """An area of activity, kept by the site itself."""

    ms_id = models.CharField(max_length=50, unique=True)
    title = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.title


class SectionPage(Page):
    """Home, and the section under which organisations stand."""

    def get_context(self, request: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Adds the live pages below."""
        context = super().get_context(request, *args, **kwargs)
        return {**context, "children": self.get_children().live()}


class OrganizationPage(Page):
    """An organisation: the master system owns everything but the introduction, which is the editors'."""

    phone = models.CharField(max_length=50, blank=True)
    address = models.CharField(max_length=300, blank=True)
    district = models.ForeignKey(District, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    areas = ParentalManyToManyField(Area, blank=True)
    introduction = RichTextField(blank=True)

    parent_page_types = ["organizations.SectionPage", "organizations.OrganizationPage"]
    search_fields = [
        *Page.search_fields,
        index.SearchField("phone"),
        index.SearchField("address"),
        index.SearchField("introduction"),
        index.FilterField("district_id"),
    ]
    content_panels = [
        *Page.content_panels,
        *(FieldPanel(name) for name in ("introduction", "phone", "address", "district", "areas")),
    ]


@register_snippet
class Employee(models.Model):
    """An ordinary model that refers to a page."""

    ms_id = models.CharField(max_length=50, unique=True)
    name = models.CharField(max_length=200)
    position = models.CharField(max_length=200, blank=True)
    organization = models.ForeignKey(
        OrganizationPage, null=True, blank=True, on_delete=models.SET_NULL, related_name="employees"
    )

    def __str__(self) -> str:
        return self.name
