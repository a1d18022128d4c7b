"""Amazon SWF's protocol over any backend: any AWS SDK is a client of it."""

from .server import Server, is_loopback, serve, serving

__all__ = ["Server", "is_loopback", "serve", "serving"]
