"""The one part that is compiled: how the media node sends and reads packets.

It is optional: without a compiler the installation goes on, and the node does both in Python
(``media/transport/fanout``, ``media/transport/intake``). It uses no header of Python.
"""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "media.transport.fanout._kernel",
            ["media/transport/fanout/kernel.c", "media/transport/intake/kernel.c"],
            extra_compile_args=["-std=c11", "-O2", "-Wall", "-Wextra", "-fvisibility=default"],
            libraries=["dl"],
            optional=True,
        )
    ]
)
