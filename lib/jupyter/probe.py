"""Starts the kernel as JupyterLab would, runs one cell, and prints what answered and how fast (for `npm run doctor`)."""

import os
import sys
import time
from pathlib import Path

os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
os.environ.pop("JUPYTER_PATH", None)
ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("JUPYTER_RUNTIME_DIR", str(ROOT / ".runtime" / "jupyter"))

from jupyter_client.manager import start_new_kernel  # noqa: E402


def main():
    started = time.monotonic()
    manager, client = start_new_kernel(kernel_name="tsdiffusion", startup_timeout=60, cwd=str(ROOT))
    try:
        printed = []

        def collect(message):
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        client.execute_interactive("const answer: number = 6 * 7; console.log(answer)", timeout=60, output_hook=collect)
        if "".join(printed).strip() != "42":
            sys.exit(f"the kernel answered {''.join(printed)!r} instead of 42")
        print(f"runs TypeScript cells, started in {time.monotonic() - started:.1f} s")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    main()
