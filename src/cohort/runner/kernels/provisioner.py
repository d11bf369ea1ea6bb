"""Jupyter's way to have kernels started by something else than a command: here, by a fork of a warm server.

The package registers it as `cohort-warm` among the kernel provisioners; a process chooses it by the
environment variable `JUPYTER_DEFAULT_PROVISIONER_NAME`, so that notebooks keep the kernel `python3`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import sys
from typing import Any

from jupyter_client.provisioning import LocalProvisioner

from cohort.runner.kernels import warm

_POLL_S = 0.002


class WarmProvisioner(LocalProvisioner):  # type: ignore[misc]
    """Start Python kernels by a fork; anything else, or without a server, as Jupyter does."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        """Start a kernel.

        Parameters
        ----------
        cmd : list of str
            The command of the kernel.
        **kwargs
            As `subprocess.Popen` takes them: the environment and the folder.

        Returns
        -------
        dict
            How to connect to it.
        """
        address = os.environ.get(warm.ADDRESS)
        arguments = python_kernel(cmd)
        if address and arguments is not None:
            environment = {**(kwargs.get("env") or os.environ)}
            for name in (warm.ADDRESS, warm.CHOSEN_BY):  # nothing that a notebook starts is this kernel's
                environment.pop(name, None)
            cwd = str(kwargs.get("cwd") or pathlib.Path.cwd())
            with contextlib.suppress(OSError):
                self.process = warm.fork(address, "kernel", arguments, environment, cwd)
                self.pid, self.pgid, self.cwd = self.process.pid, None, cwd
                return dict(self.connection_info)
        return dict(await super().launch_kernel(cmd, **kwargs))

    async def wait(self) -> int | None:
        """Wait for the kernel's end, with less delay than by default."""
        while await self.poll() is None:
            await asyncio.sleep(_POLL_S)
        status: int | None = await super().wait()
        return status

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel and see it end, so that nobody has to ask for it every 0.1 s.

        Parameters
        ----------
        restart : bool
            Whether it is to start again.
        """
        await super().kill(restart=restart)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._ended(), timeout=5)

    async def _ended(self) -> None:
        while await self.poll() is None:
            await asyncio.sleep(_POLL_S)


def python_kernel(cmd: list[str]) -> list[str] | None:
    """Read a command that starts an IPython kernel in this Python.

    Parameters
    ----------
    cmd : list of str
        The command.

    Returns
    -------
    list of str or None
        The arguments of the kernel; None for any other command.
    """
    if cmd[:1] != [sys.executable] or "ipykernel_launcher" not in cmd:
        return None
    at = cmd.index("ipykernel_launcher")
    options = [option for option in cmd[1:at] if option != "-Xfrozen_modules=off"]
    return cmd[at + 1 :] if options == ["-m"] else None
