"""The table of page records."""

from typing import ClassVar

import django.core.serializers.json
import django.db.models.deletion
from django.db import migrations, models

from sluice_wagtail.models import PAGE_MODEL


class Migration(migrations.Migration):
    """The first one."""

    initial = True

    dependencies: ClassVar = [migrations.swappable_dependency(PAGE_MODEL)]

    operations: ClassVar = [
        migrations.CreateModel(
            name="PageRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("integration", models.CharField(max_length=100)),
                ("external_id", models.CharField(max_length=500)),
                ("state", models.CharField(blank=True, default="", max_length=20)),
                ("parent_id", models.CharField(blank=True, default="", max_length=64)),
                ("revision_id", models.BigIntegerField(null=True)),
                ("hash", models.CharField(blank=True, default="", max_length=64)),
                ("key", models.CharField(blank=True, default="", max_length=200)),
                (
                    "result",
                    models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder, null=True),
                ),
                ("live_version", models.CharField(blank=True, default="", max_length=200)),
                ("draft_version", models.CharField(blank=True, default="", max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "page",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=PAGE_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="pagerecord",
            constraint=models.UniqueConstraint(fields=["integration", "external_id"], name="sluice_wagtail_key"),
        ),
    ]
