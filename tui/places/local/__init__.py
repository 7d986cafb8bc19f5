"""The local disk: listing, single steps, and the hops in which trees are copied and removed.

Everything here is synchronous and safe in a thread; callers hop through `aiofiles.os.wrap`.
"""
