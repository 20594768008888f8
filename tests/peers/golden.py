"""Makes the golden vectors of tests/golden again, in a copy, and compares them with the committed ones.

One line a file: "same" to the byte, or its largest difference in units of the largest value of the
tensor that it is in; "differs" where that is no file of tensors. A script whose packages are not here
is skipped with a line that says so. Fails above the tolerance, for a file that is not committed, and
(if no script was skipped) for a committed one that no script makes.
"""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 2e-4
# In this order: the later ones read the models and the batch of the earlier ones. Without
# make_tokenizer.py: tokenizers' trainers break ties by chance, so that every run has other words.
SCRIPTS = ("gpt2", "class", "tags", "updates", "llama", "bert", "peft", "gguf", "sentencepiece",
           "ladder", "metrics", "neighbours")
NOT_MADE = ("README.md", "tokenizer/")


def difference(a, b):
    """Largest difference of two files of tensors."""
    a, b = load_file(a), load_file(b)
    if {k: v.shape for k, v in a.items()} != {k: v.shape for k, v in b.items()}:
        return float("inf")
    largest = 0.0
    for name in a:
        x, y = a[name].double(), b[name].double()
        if x.numel():
            largest = max(largest, ((x - y).abs().max() / x.abs().max().clamp(min=1e-12)).item())
    return largest


def compare(committed, made):
    """What is to be said of a file, and whether that is good."""
    if not committed.exists():
        return "not committed", False
    if committed.read_bytes() == made.read_bytes():
        return "same", True
    if made.suffix != ".safetensors":
        return "differs", False
    found = difference(committed, made)
    return f"{found:.1e}", found <= TOLERANCE


def times(folder):
    return {p.relative_to(folder): p.stat().st_mtime_ns for p in folder.rglob("*")
            if p.is_file() and p.suffix != ".py" and "__pycache__" not in p.parts}


def run(script, copy):
    """None, or why the script cannot run here."""
    done = subprocess.run([sys.executable, f"tests/golden/{script}"], cwd=copy, text=True,
                          capture_output=True)
    if done.returncode == 0:
        return None
    last = (done.stderr.strip().splitlines() or ["it failed without a word"])[-1]
    if last.startswith("ModuleNotFoundError"):
        return last
    sys.exit(f"peers: {script} failed:\n{done.stderr}")


def make_again(copy):
    """(files that were made, whether all scripts ran, files that are not as they should be)."""
    golden, folder = ROOT / "tests" / "golden", copy / "tests" / "golden"
    made, complete, failed = set(), True, []
    for script in (f"make_{name}.py" for name in SCRIPTS):
        before = times(folder)
        reason = run(script, copy)
        if reason:
            complete = False
            print(f"{script}\tskipped: {reason}", flush=True)
            continue
        after = times(folder)
        for name in sorted(n for n in after if after[n] != before.get(n)):
            says, good = compare(golden / name, folder / name)
            made.add(str(name))
            print(f"{script}\t{name}\t{says}", flush=True)
            if not good:
                failed.append(f"{name}: {says}")
    return made, complete, failed


def main():
    golden = ROOT / "tests" / "golden"
    with tempfile.TemporaryDirectory(prefix="softprompt-golden-") as copy:
        copy = Path(copy)
        for part in ("golden", "peers"):
            shutil.copytree(ROOT / "tests" / part, copy / "tests" / part)
        (copy / "models").symlink_to(ROOT / "models")
        made, complete, failed = make_again(copy)
    if complete:
        rest = {str(n) for n in times(golden)} - made
        failed += [f"{n}: no script makes it" for n in sorted(rest) if not n.startswith(NOT_MADE)]
    print(f"{len(made)} files made again, {len(failed)} not as committed")
    if failed:
        sys.exit("peers: not the committed golden vectors:\n" + "\n".join(failed))


main()
