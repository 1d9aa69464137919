"""lemsite: how efficiently large language models run, measured, published and compared."""

__version__ = "0.1.0"
