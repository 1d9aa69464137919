"""A piece of a template that is needed twice, such as a block, which a template may name only once."""

from __future__ import annotations

from django import template
from django.template import Context
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_block_tag(takes_context=True)
def remember(context: Context, content: SafeString, name: str) -> SafeString:
    """Writes what stands inside, and keeps it under `name` for the rest of the template."""
    context[name] = content
    return content
