// Compiles Python sources for AWS Lambda's interpreter on any machine: CPython of the same minor version, as WebAssembly.
//
//   node compile.mjs <python version> <root folder> ...
//
// Each root is mounted at /var/task, where Lambda unpacks a bundle, so that tracebacks show the path it has there.
import { loadPyodide } from "pyodide";

const [version, ...roots] = process.argv.slice(2);
const python = await loadPyodide();
const compile = python.runPython(`
import pathlib, py_compile, sys
from importlib.util import cache_from_source

def compile_root(version):
    if "%d.%d" % sys.version_info[:2] != version:
        return f"pyodide is Python {sys.version.split()[0]}, not {version}"
    sys.dont_write_bytecode = True
    for source in sorted(pathlib.Path("/var/task").rglob("*.py")):
        target = cache_from_source(str(source))
        if not pathlib.Path(target).exists():
            try:
                py_compile.compile(
                    str(source), target, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
                )
            except py_compile.PyCompileError as problem:
                return str(problem)
    return ""

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
