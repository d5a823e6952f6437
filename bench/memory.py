"""How much memory processes take."""

from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Process:
    pid: int

    @classmethod
    def serving(cls, port: int) -> "Process":
        """The process that answers on a port: of granian's, the worker, which is the largest."""
        main = next(
            process
            for process in psutil.Process().children(recursive=True)
            if "granian" in process.cmdline() and str(port) in process.cmdline()
        )
        workers = main.children(recursive=True)
        return cls(max(workers, key=lambda worker: worker.memory_info().rss).pid)

    def resident(self) -> int:
        return self._status("VmRSS")

    def forget_peak(self) -> None:
        # Documented in proc_pid_clear_refs(5).
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def peak_resident(self) -> int:
        """The highest mark since `forget_peak`."""
        return self._status("VmHWM")

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
        raise LookupError(name)


def megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.0f}"
