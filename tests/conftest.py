"""What holds for every test: how long a case takes says nothing, for the machine may be busy."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("continuo", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("continuo")
