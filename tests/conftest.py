"""For every test: what must not depend on the clock, the past, or how the run was started."""

import signal

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ferry", database=None, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ferry")

# A script starts what it puts in the background with Ctrl+C ignored, and that is inherited by every process below.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
