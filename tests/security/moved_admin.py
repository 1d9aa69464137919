"""The site's addresses with the admin elsewhere, as ADMIN_PATH=staff-door/ makes them."""

from django.contrib import admin
from django.urls import path

from lemsite import urls

handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500
urlpatterns = [
    path("staff-door/", admin.site.urls),
    *(pattern for pattern in urls.urlpatterns if getattr(pattern, "app_name", None) != "admin"),
]
