// Compiles Python sources for AWS Lambda's interpreter on any machine: CPython of the same minor version, as WebAssembly.
//
//   node compile.mjs <python version> <root folder> ...
//
// Each root is mounted at /var/task, where Lambda unpacks a bundle, so that tracebacks show the path it has there.
import { loadPyodide } from "pyodide";

const [version, ...roots] = process.argv.slice(2);
const python = await loadPyodide();
python.FS.mkdirTree("/builder/infra");
python.FS.mount(python.FS.filesystems.NODEFS, { root: import.meta.dirname }, "/builder/infra");
const compile = python.runPython(`
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, "/builder")

from pathlib import Path

from infra.compiler import TASK_ROOT, compile_tree

def compile_root(version):
    if "%d.%d" % sys.version_info[:2] != version:
        return f"pyodide is Python {sys.version.split()[0]}, not {version}"
    return compile_tree(Path(TASK_ROOT))

compile_root
`);

python.FS.mkdirTree("/var/task");
for (const root of roots) {
  python.FS.mount(python.FS.filesystems.NODEFS, { root }, "/var/task");
  const problem = compile(version);
  python.FS.unmount("/var/task");
  if (problem) {
    console.error(problem);
    process.exit(1);
  }
}
