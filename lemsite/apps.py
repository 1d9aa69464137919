from django.apps import AppConfig


class LemsiteConfig(AppConfig):
    name = "lemsite"
