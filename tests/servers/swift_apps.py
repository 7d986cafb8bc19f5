"""OpenStack Swift in one process: its proxy with the S3 interface, and the three stores behind it.

Run by the system's Python (to which Debian's python3-swift belongs) with a folder of its own and a port, 0 for any.
It prints the port it answers on, and ends with the process that started it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path
from time import monotonic as now

_BACKLOG = 1024

ACCESS_KEY, SECRET_KEY = "ferry:user", "ferrysecret"

_COMMON = """[DEFAULT]
swift_dir = {folder}
devices = {folder}/srv
mount_check = false
disable_fallocate = true
log_udp_host = 127.0.0.1
log_udp_port = 9
log_level = CRITICAL
conn_timeout = 20
node_timeout = 60
container_update_timeout = 20
"""

_STORE = """
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""

_PROXY = """
[pipeline:main]
pipeline = catch_errors s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
conn_timeout = 20
node_timeout = 60
error_suppression_limit = 1000000
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
min_segment_size = {least_part_bytes}
[filter:tempauth]
use = egg:swift#tempauth
user_ferry_user = {secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""


class Memory:
    """Stands for memcached: without what the proxy remembers there, every request asks all three stores anew."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[object, float]] = {}

    def get(self, key: str, raise_on_error: bool = False) -> object:
        value, ends = self._kept.get(key, (None, 0.0))
        return value if not ends or ends > now() else None

    def set(self, key: str, value: object, time: float = 0, **_: object) -> None:
        self._kept[key] = (value, time and now() + time)

    def delete(self, key: str, **_: object) -> None:
        self._kept.pop(key, None)


def trust_the_kernel() -> None:
    """Bring nothing onto the disk: a killed process loses nothing by that, and disks take most of the time."""
    from swift.common import db

    os.fsync = lambda fd: None
    plain, in_memory = db.GreenDBCursor.execute, {"synchronous = NORMAL": "synchronous = OFF"}
    in_memory["journal_mode = DELETE"] = "journal_mode = MEMORY"

    def execute(self: object, sql: str, *more: object) -> object:
        for slow, fast in in_memory.items():
            sql = sql.replace(f"PRAGMA {slow}", f"PRAGMA {fast}")
        return plain(self, sql, *more)

    db.GreenDBCursor.execute = execute


def main(folder: Path, port: int, least_part_bytes: int) -> None:
    ctypes.CDLL(None).prctl(
        1, signal.SIGKILL
    )  # PR_SET_PDEATHSIG: nothing stays where the test's process was killed
    folder.joinpath("swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_prefix = ferry\nswift_hash_path_suffix = ferry\n"
        "[storage-policy:0]\nname = only\ndefault = yes\n"
    )
    sys.path.remove(str(Path(__file__).parent))  # there is a swift.py in it

    import eventlet
    import eventlet.debug
    from eventlet import wsgi

    eventlet.monkey_patch(all=False, socket=True, select=True, thread=True)
    from swift.common import constraints, storage_policy, utils
    from swift.common.http_protocol import SwiftHttpProtocol
    from swift.common.ring import RingBuilder
    from swift.common.utils import NullLogger
    from swift.common.wsgi import loadapp

    eventlet.debug.hub_exceptions(False)
    utils.set_swift_dir(str(folder))
    constraints.reload_constraints()
    storage_policy.reload_storage_policies()

    trust_the_kernel()

    def serve(kind: str, sock: object, text: str) -> None:
        conf = folder / f"{kind}.conf"
        conf.write_text(_COMMON.format(folder=folder) + text)
        app, memory = loadapp(str(conf)), Memory()
        remembering = lambda environ, start: app({**environ, "swift.cache": memory}, start)  # noqa: E731
        eventlet.spawn(
            wsgi.server,
            sock,
            remembering,
            NullLogger(),
            protocol=SwiftHttpProtocol,
            capitalize_response_headers=False,
        )

    sockets = {
        kind: eventlet.listen(("127.0.0.1", 0), backlog=_BACKLOG)
        for kind in ("account", "container", "object")
    }
    for kind, sock in sockets.items():
        (folder / "srv" / "d1").mkdir(parents=True, exist_ok=True)
        builder = RingBuilder(4, 1, 0)
        device = {"region": 1, "zone": 1, "ip": "127.0.0.1", "port": sock.getsockname()[1], "device": "d1"}
        builder.add_dev({**device, "weight": 1.0})
        builder.rebalance(seed=1)
        builder.get_ring().save(str(folder / f"{kind}.ring.gz"))
    for kind, sock in sockets.items():
        serve(kind, sock, _STORE.format(kind=kind))
    front = eventlet.listen(("127.0.0.1", port), backlog=_BACKLOG)
    serve("proxy", front, _PROXY.format(secret=SECRET_KEY, least_part_bytes=least_part_bytes))
    print(front.getsockname()[1], flush=True)  # noqa: T201
    while True:
        eventlet.sleep(3600)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
