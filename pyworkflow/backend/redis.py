"""The door to the Redis backend, which needs the driver of the extra `redis`."""

from ..exceptions import UnsupportedBackend, to_install

try:
    from pyworkflow_redis import RedisBackend, RedisStore
except ModuleNotFoundError as error:
    if error.name != "redis":
        raise
    raise UnsupportedBackend(f"the Redis backend needs a driver: {to_install('redis')}") from error

__all__ = ["RedisBackend", "RedisStore"]
