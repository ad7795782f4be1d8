"""The one part that is compiled: the fan-out kernel of the media node.

It is optional: without a compiler the installation goes on, and the node sends packets with the
Python twin (``media/transport/fanout``). It uses no header of Python.
"""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "media.transport.fanout._kernel",
            ["media/transport/fanout/kernel.c"],
            extra_compile_args=["-std=c11", "-O2", "-Wall", "-Wextra", "-fvisibility=default"],
            libraries=["dl"],
            optional=True,
        )
    ]
)
