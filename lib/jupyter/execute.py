"""Executes notebooks without a browser, and fails on anything that went wrong in a cell.

tslab sends no Jupyter `error` message: a failing cell only writes to stderr and answers with status "error";
a rejected promise that nobody awaits only writes to stderr, sometimes after the cell has ended. So this
looks at the answer, at stderr (also at what arrives late), at the time, and at whether the kernel is alive.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from pathlib import Path

# Our kernel, whatever the user has installed elsewhere.
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
os.environ.pop("JUPYTER_PATH", None)
ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("JUPYTER_RUNTIME_DIR", str(ROOT / ".runtime" / "jupyter"))

import nbformat  # noqa: E402
import psutil  # noqa: E402
from nbclient import NotebookClient  # noqa: E402
from nbclient.exceptions import (  # noqa: E402
    CellExecutionComplete,
    CellExecutionError,
    CellTimeoutError,
    DeadKernelError,
)

MAX_CELL_TEXT = 50_000
MAX_FILE = 1_000_000
NEVER_OK = ("UnhandledPromiseRejection:", "UncaughtException:")
# Lets everything that is still under way in the kernel finish or fail, after the last cell.
FLUSH = "await new Promise((resolve) => setTimeout(resolve, 300));"


class Client(NotebookClient):
    """Gives output that arrives after its cell has ended to that cell (nbclient would drop it)."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.cell_of_message = {}
        self.status = None

    async def _check_raise_for_error(self, cell, cell_index, exec_reply):
        self.status = exec_reply["content"]["status"]
        await super()._check_raise_for_error(cell, cell_index, exec_reply)

    async def _async_poll_output_msg(self, parent_msg_id, cell, cell_index):
        self.cell_of_message[parent_msg_id] = cell_index
        while True:
            msg = await self.kc.iopub_channel.get_msg(timeout=None)
            parent = msg["parent_header"].get("msg_id")
            if parent == parent_msg_id:
                try:
                    self.process_message(msg, cell, cell_index)
                except CellExecutionComplete:
                    return
            elif parent in self.cell_of_message and msg["msg_type"] != "status":
                owner = self.cell_of_message[parent]
                self.process_message(msg, self.nb.cells[owner], owner)


def text_of(cell, stream=None):
    """The text that a cell printed: all of it, or one stream's."""
    parts = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream" and stream in (None, output.name):
            parts.append(output.text)
        elif output.output_type != "stream" and stream is None:
            parts.append(output.get("data", {}).get("text/plain", ""))
    return "".join(parts)


def tags_of(cell):
    return cell.metadata.get("tags", [])


def problem_of(cell):
    """What is wrong with the outputs of a cell that has run, or None."""
    errors = text_of(cell, "stderr").strip()
    if "raises-exception" in tags_of(cell):
        return None if errors else "was expected to fail (tag raises-exception) but did not"
    if errors and ("stderr-ok" not in tags_of(cell) or any(mark in errors for mark in NEVER_OK)):
        return errors
    size = len(text_of(cell))
    if size > MAX_CELL_TEXT:
        return f"printed {size:,} characters (at most {MAX_CELL_TEXT:,})"
    return None


class Run:
    """One execution of one notebook."""

    def __init__(self, path, options):
        self.path = path
        self.options = options
        self.failures = []
        self.peak = 0
        self.name = os.path.relpath(path)

    def fail(self, index, cell, message):
        first = cell.source.strip().split("\n")[0] if cell else ""
        inside = ("node_modules/tslab/", "(node:")
        message = "\n".join(line for line in message.split("\n") if not any(part in line for part in inside))
        self.failures.append({"cell": index + 1, "line": first, "message": message})
        print(f"FAILED {self.name}, cell {index + 1}: {first}\n    " + message.replace("\n", "\n    "), flush=True)

    async def execute(self):
        started = time.monotonic()
        try:
            notebook = nbformat.read(self.path, as_version=4)
        except Exception as error:
            self.fail(-1, None, f"cannot be read as a notebook: {error}")
            return self.result(started)
        if not any(cell.cell_type == "code" for cell in notebook.cells):
            return self.result(started)  # a page of text
        client = Client(
            notebook,
            kernel_name="tsdiffusion",
            timeout=self.options.timeout,
            iopub_timeout=10,
            raise_on_iopub_timeout=True,
            startup_timeout=60,
            coalesce_streams=True,
            record_timing=False,
            shutdown_kernel="immediate",
            resources={"metadata": {"path": str(self.path.parent)}},
        )
        client.km = client.create_kernel_manager()
        watcher = None
        try:
            await client.async_start_new_kernel()
            await client.async_start_new_kernel_client()
            watcher = asyncio.ensure_future(self.watch_memory(client.km.provisioner.pid))
            await self.run_cells(client, notebook)
        except Exception as error:
            self.fail(-1, None, f"the kernel did not start: {error}")
        finally:
            if watcher:
                watcher.cancel()
            if client.km:
                await client._async_cleanup_kernel()
        self.finish(notebook)
        return self.result(started)

    async def run_cells(self, client, notebook):
        count = len(notebook.cells)
        ran = []
        ended = False
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            began = time.monotonic()
            ran.append((index, cell))
            error = await self.run_cell(client, cell, index)
            print(f"{self.name}: cell {index + 1}/{count}, {time.monotonic() - began:.1f} s", flush=True)
            if error:
                self.fail(index, cell, error)
                ended = True
                break
        if not ended and ran:
            notebook.cells.append(nbformat.v4.new_code_cell(FLUSH))
            index, cell = ran[-1]
            error = await self.run_cell(client, notebook.cells[-1], count)
            late = notebook.cells.pop()
            problem = error or problem_of(late)
            if problem:
                self.fail(index, cell, f"after it had ended: {problem}")
        failed = {failure["cell"] for failure in self.failures}
        for index, cell in ran:
            problem = problem_of(cell)
            if problem and index + 1 not in failed:
                self.fail(index, cell, problem)

    async def run_cell(self, client, cell, index):
        """Runs a cell; the reason if it failed, else None."""
        try:
            await client.async_execute_cell(cell, index, execution_count=client.code_cells_executed + 1)
        except CellTimeoutError as error:
            if "IOPub" in str(error):
                # ZeroMQ drops messages beyond its queue, the one that ends the cell too.
                return "printed more messages than Jupyter can carry"
            return f"did not end within {self.options.timeout} s"
        except DeadKernelError:
            return "ended the kernel's process"
        except CellExecutionError:
            return text_of(cell, "stderr").strip() or "failed without a message"
        if client.status == "error":
            # A failure that its tag allows. tslab refuses everything for 200 ms after a failure.
            await asyncio.sleep(0.5)
        elif client.status != "ok":
            return f"was not run (the kernel answered {client.status!r})"
        return None

    async def watch_memory(self, pid):
        try:
            kernel = psutil.Process(pid)
            while True:
                self.peak = max(self.peak, kernel.memory_info().rss)
                await asyncio.sleep(0.2)
        except psutil.Error:
            pass

    def finish(self, notebook):
        """Checks the size of the result; with --write, and only if all is well, puts it in place."""
        text = nbformat.writes(notebook) + "\n"
        size = len(text.encode())
        if size > MAX_FILE:
            index, cell = max(enumerate(notebook.cells), key=lambda pair: len(str(pair[1].get("outputs", ""))))
            self.fail(index, cell, f"makes the executed notebook {size:,} bytes large (at most {MAX_FILE:,})")
        if self.options.write and not self.failures:
            temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
            temporary.write_text(text, encoding="utf-8")
            os.replace(temporary, self.path)

    def result(self, started):
        return {
            "notebook": self.name,
            "ok": not self.failures,
            "seconds": round(time.monotonic() - started, 1),
            "peakMegabytes": round(self.peak / 1e6),
            "failures": self.failures,
        }


async def main(options):
    paths = options.notebooks or sorted((ROOT / "notebooks").glob("**/*.ipynb"))
    paths = [Path(path).resolve() for path in paths if ".ipynb_checkpoints" not in str(path)]
    if not paths:
        print("No notebooks found in notebooks/: name the files to execute.", file=sys.stderr)
        return 1
    results = []
    waiting = list(paths)

    async def work():
        while waiting and (options.keep_going or all(result["ok"] for result in results)):
            results.append(await Run(waiting.pop(0), options).execute())

    await asyncio.gather(*(work() for _ in range(options.jobs)))
    results.sort(key=lambda result: result["notebook"])
    print()
    for result in results:
        state = "ok    " if result["ok"] else "FAILED"
        print(f"{state} {result['notebook']}: {result['seconds']} s, peak {result['peakMegabytes']} MB")
    skipped = len(paths) - len(results)
    if skipped:
        print(f"{skipped} more not executed (--keep-going executes all)")
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0 if all(result["ok"] for result in results) and not skipped else 1


def parse(args):
    parser = argparse.ArgumentParser(
        prog="npm run notebooks --", description="Execute notebooks on the tsdiffusion kernel; exit code 1 if one fails."
    )
    parser.add_argument("notebooks", nargs="*", help="files to execute (default: all in notebooks/)")
    parser.add_argument("--write", action="store_true", help="put the outputs into the notebook files")
    parser.add_argument("--timeout", type=int, default=600, metavar="SECONDS", help="limit for one cell (600)")
    parser.add_argument("--keep-going", action="store_true", help="execute the other notebooks after a failure")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="execute N notebooks at once (1)")
    parser.add_argument("--json", metavar="FILE", help="also write a report to this file")
    return parser.parse_args(args)


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(parse(sys.argv[1:]))))
    except KeyboardInterrupt:
        sys.exit(130)
