"""Collected static files: one style sheet with all that it imports, under a name that holds its hash."""

import json

import pytest
from django.core.management import call_command

BACKEND = "lemsite.static_files.BundledManifestStaticFilesStorage"


@pytest.fixture
def collect(settings, tmp_path):
    """Collects a folder of files; returns the folder that is served."""
    sources, root = tmp_path / "sources", tmp_path / "collected"

    def collect(files):
        for name, text in files.items():
            (sources / name).parent.mkdir(parents=True, exist_ok=True)
            (sources / name).write_text(text)
        settings.STATICFILES_DIRS, settings.STATIC_ROOT = [sources], root
        settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
        settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": BACKEND}}
        call_command("collectstatic", verbosity=0, interactive=False)
        return root

    return collect


SHEETS = {
    "css/site.css": '/* why */\n@import url("base.css");\n@import url("pages/one.css");\n',
    "css/base.css": "body { color: red; }\n",
    "css/pages/one.css": ".one { color: blue; }\n",
}


def served(root):
    name = json.loads((root / "staticfiles.json").read_text())["paths"]["css/site.css"]
    return name, (root / name).read_text()


def test_the_style_sheet_holds_what_it_imports_in_its_order(collect):
    root = collect(SHEETS)

    assert served(root)[1] == "/* why */\nbody { color: red; }\n\n.one { color: blue; }\n\n"


def test_another_import_is_another_name(collect):
    before, _ = served(collect(SHEETS))

    after, _ = served(collect(SHEETS | {"css/pages/one.css": ".one { color: green; }\n"}))

    assert before != after


def test_an_imported_sheet_names_no_file(collect):
    with pytest.raises(ValueError, match=r"css/base\.css names a file by url\(\)"):
        collect(SHEETS | {"css/base.css": 'body { background: url("x.png"); }\n'})
