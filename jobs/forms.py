"""The builder's form, made from the models in jobs.config: a field that is not there cannot be asked for here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.functional import cached_property
from pydantic import ValidationError

from jobs.config import MAX_AXES, SWEEPABLE, LlemOrder, errors_of, sentence

ENGINES = ("transformers", "vllm", "tensorrt")
_SCHEMA: Mapping[str, Any] = LlemOrder.model_json_schema()
_LEAVE = "As the engine does"
_WORDS = {
    "transformers": "Transformers",
    "vllm": "vLLM",
    "tensorrt": "TensorRT-LLM",
    "latin_square": "latin square",
    "aienergyscore": "AI Energy Score",
}
VARIED_WORDS = {
    "precision": "Precision",
    "n_prompts": "Prompts",
    "max_input_tokens": "Input tokens",
    "max_output_tokens": "Output tokens",
}


def _properties(model: str) -> Mapping[str, Any]:
    """Of LlemOrder itself, or of one of the models within it."""
    schema = _SCHEMA if model == "" else _SCHEMA["$defs"][model]
    properties: Mapping[str, Any] = schema["properties"]
    return properties


def _field(told: Mapping[str, Any], *, required: bool) -> forms.Field:
    """The form's field for one property of a JSON schema."""
    options = [one for one in told.get("anyOf", [told]) if one.get("type") != "null"]
    schema = options[0]
    label, help_text = told.get("title", ""), told.get("description", "")
    more: dict[str, Any] = {"label": label, "help_text": help_text, "required": required}
    choices = schema.get("enum") or ([schema["const"]] if "const" in schema else None)
    if choices:
        blank = [] if required else [("", _LEAVE)]
        return forms.ChoiceField(choices=[*blank, *((str(one), _WORDS.get(one, str(one))) for one in choices)], **more)
    if schema["type"] == "boolean":
        if required:
            return forms.BooleanField(**{**more, "required": False})
        return forms.ChoiceField(choices=[("", _LEAVE), ("true", "on"), ("false", "off")], **more)
    limits = {"min_value": schema.get("minimum"), "max_value": schema.get("maximum")}
    if schema["type"] == "integer":
        return forms.IntegerField(**limits, **more)
    if schema["type"] == "number":
        return forms.FloatField(**limits, **more)
    return forms.CharField(max_length=200, **more)


def _field_name(place: str) -> str:
    """The form's name of a place in an order, such as vllm.block_size or batch_sizes.2."""
    head, _, rest = place.partition(".")
    return f"{head}-{rest}" if head in ENGINES and rest else head


class OrderForm(forms.Form):
    """One energy benchmark. Its fields parse text; what may be ordered is decided by LlemOrder alone."""

    #: fields that a Django form has a better widget for
    SPECIAL = frozenset({"batch_sizes", "sweep", "hardware", *ENGINES})

    simulate = forms.BooleanField(
        label="Simulate",
        required=False,
        help_text="no GPU takes part; the figures are made up, marked so, and never ranked",
    )

    def __init__(self, *args: Any, hardware: Iterable[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, told in _properties("").items():
            if name not in self.SPECIAL:
                self.fields[name] = _field(told, required="anyOf" not in told and name != "label")
        told = _properties("")["batch_sizes"]
        self.fields["batch_sizes"] = forms.CharField(
            label=told["title"], help_text=told["description"], max_length=200, initial="1"
        )
        self.fields["hardware"] = forms.ChoiceField(
            label=_properties("")["hardware"]["title"], required=False, choices=[("", "Any"), *hardware]
        )
        for number in range(1, MAX_AXES + 1):
            choices = [("", "Nothing"), *VARIED_WORDS.items()]
            self.fields[f"vary_{number}"] = forms.ChoiceField(
                label="Also vary" if number == 1 else "And vary", required=False, choices=choices
            )
            self.fields[f"vary_{number}_values"] = forms.CharField(
                label="Values", required=False, max_length=200, widget=forms.TextInput(attrs={"placeholder": "64, 256"})
            )
        for engine in ENGINES:
            for name, option in _properties(f"{engine.capitalize()}Options").items():
                self.fields[f"{engine}-{name}"] = _field(option, required=False)
        self._dress()

    def _dress(self) -> None:
        for name, field in self.fields.items():
            attributes = {"autocomplete": "off", "aria-describedby": f"errors-{name}"}
            if isinstance(field, forms.FloatField):
                attributes |= {"step": "any", "inputmode": "decimal"}
            if name == "model":
                attributes |= {"list": "models", "placeholder": "org/name", "spellcheck": "false"}
            field.widget.attrs |= attributes

    @staticmethod
    def initial_of(fields: Mapping[str, Any]) -> dict[str, Any]:
        """What the form shows for the fields of an order; the rest is as an order has it by default."""
        default = LlemOrder(model="org/name").model_dump()
        shown: dict[str, Any] = {**default, "model": "", **fields}
        sweep, sizes = shown.pop("sweep") or {}, shown.pop("batch_sizes") or ()
        for engine in ENGINES:
            options = shown.pop(engine) or {}
            shown |= {f"{engine}-{name}": _as_choice(value) for name, value in options.items()}
        shown["batch_sizes"] = ", ".join(map(str, sizes))
        axes = [(name, values) for name, values in sweep.items() if values]
        for number, (name, values) in enumerate(axes[:MAX_AXES], 1):
            shown |= {f"vary_{number}": name, f"vary_{number}_values": ", ".join(map(str, values))}
        return shown

    def clean(self) -> None:
        """Build the order; what is wrong with it is told at the field that it came from."""
        if self.errors:
            return
        try:
            self._order = LlemOrder.model_validate(self._fields)
        except ValidationError as error:
            for place, words in errors_of(error).items():
                self.refuse(self._place(place), words)

    @property
    def order(self) -> LlemOrder:
        """Of a form that is valid."""
        return self._order

    def refuse(self, name: str, words: str) -> None:
        """Say at a field, or above the form, why this cannot be ordered."""
        self.add_error(name if name in self.fields else None, sentence(words))

    @cached_property
    def _fields(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        found: dict[str, Any] = {
            name: cleaned[name]
            for name in _properties("")
            if name not in self.SPECIAL and cleaned.get(name) not in (None, "")
        }
        # Left empty on purpose: the default of an order is a preset.
        found["sampling"] = cleaned.get("sampling") or None
        found["hardware"] = cleaned.get("hardware") or None
        found["batch_sizes"] = _numbers(cleaned["batch_sizes"])
        found["sweep"] = self._sweep(cleaned)
        engine = cleaned["engine"]
        chosen = {name: cleaned.get(f"{engine}-{name}") for name in _properties(f"{engine.capitalize()}Options")}
        found[engine] = {name: _typed(engine, name, value) for name, value in chosen.items() if value not in (None, "")}
        return found

    def _sweep(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        swept: dict[str, Any] = {}
        for number in range(1, MAX_AXES + 1):
            name, text = cleaned.get(f"vary_{number}"), cleaned.get(f"vary_{number}_values", "")
            if not name:
                continue
            if name in swept:
                self.refuse(f"vary_{number}", "this is varied already")
            values = _words(text) if name == "precision" else _numbers(text)
            if not values:
                self.refuse(f"vary_{number}_values", "say which, with commas between them")
            swept[name] = values
        return swept

    def _place(self, place: str) -> str:
        if place.startswith("sweep."):
            name = place.split(".")[1]
            numbers = range(1, MAX_AXES + 1)
            return next((f"vary_{one}_values" for one in numbers if self.cleaned_data.get(f"vary_{one}") == name), "")
        return _field_name(place) if place.partition(".")[0] in ENGINES else place.partition(".")[0]


def _words(text: str) -> list[str]:
    return [word for word in text.replace(",", " ").split() if word]


def _numbers(text: str) -> list[int | str]:
    """Whole numbers; what is none stays text, and the order refuses it by name."""
    return [int(word) if word.isascii() and word.isdigit() and len(word) < 10 else word for word in _words(text)]


def _typed(engine: str, name: str, value: Any) -> Any:
    """A choice as the order wants it: a select knows only text."""
    if value in ("true", "false"):
        return value == "true"
    told = _properties(f"{engine.capitalize()}Options")[name]
    choices = next((one["enum"] for one in told.get("anyOf", ()) if "enum" in one), ())
    return next((choice for choice in choices if str(choice) == value), value)


def _as_choice(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


assert set(VARIED_WORDS) == set(SWEEPABLE)  # noqa: S101 - a parameter without words would be a select without a label
