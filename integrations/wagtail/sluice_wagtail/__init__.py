"""Pages from a master system, applied to a Wagtail site with Wagtail's own operations."""
