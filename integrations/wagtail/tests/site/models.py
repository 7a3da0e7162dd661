"""The mission's own model, with one field of every kind that can be owned."""

from django.core.exceptions import ValidationError
from django.db import models
from modelcluster.fields import ParentalKey, ParentalManyToManyField
from wagtail.admin.panels import FieldPanel
from wagtail.blocks import CharBlock, RichTextBlock
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Orderable, Page
from wagtail.search import index
from wagtail.snippets.models import register_snippet


@register_snippet
class District(models.Model):
    title = models.CharField(max_length=100)
    code = models.CharField(max_length=10, unique=True)


@register_snippet
class Area(models.Model):
    title = models.CharField(max_length=100)
    code = models.IntegerField(unique=True)


class IndexPage(Page):
    pass


class OrganizationPage(Page):
    phone = models.CharField(max_length=30, blank=True)
    address = models.CharField(max_length=200, blank=True)
    founded = models.DateField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    employees = models.IntegerField(null=True, blank=True)
    rate = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    extra = models.JSONField(default=dict, blank=True)
    body = StreamField([("heading", CharBlock()), ("text", RichTextBlock())], blank=True, use_json_field=True)
    # An editor's own.
    intro = RichTextField(blank=True)
    district = models.ForeignKey(District, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    areas = ParentalManyToManyField(Area, blank=True)

    search_fields = [*Page.search_fields, index.SearchField("phone"), index.SearchField("intro")]
    content_panels = [
        *Page.content_panels,
        *(FieldPanel(name) for name in ("phone", "address", "intro", "district", "areas")),
    ]

    def clean(self):
        super().clean()
        if self.phone == "0":
            raise ValidationError({"phone": "0 is no phone number"})


class AreaLink(Orderable):
    page = ParentalKey(OrganizationPage, on_delete=models.CASCADE, related_name="area_links")
    area = models.ForeignKey(Area, on_delete=models.CASCADE, related_name="+")
    note = models.CharField(max_length=100, blank=True)


class PickyPage(Page):
    """Stands nowhere but under an index page."""

    parent_page_types = ["site.IndexPage"]
    subpage_types = []
