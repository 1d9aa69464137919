import pytest


@pytest.fixture(autouse=True)
def _as_just_started():
    """What one test asked of the services is no answer for the next."""
    # Here, because Django loads its apps after this file.
    from lemsite.lib import draining
    from lemsite.observing import probes

    asked = [probes.database, probes.figures, *probes.SERVICES.values()]

    def forget():
        draining.reset()
        probes.forget_migrations()
        for probe in asked:
            probe.forget()

    forget()
    yield
    forget()
