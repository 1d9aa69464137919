"""The program on a GPU host: it asks a lemsite for benchmark jobs, runs them and reports what was measured."""

__version__ = "0.1.0"
