"""softprompt against PEFT on this machine: the same weights, batches and method in both.

Every measurement is a process of its own (this one stays small and imports no PyTorch, so that the
peak memory of its children is theirs). Rounds alternate between the two programs. Losses are
compared, so that both did the same work; ratios come with their spread over the rounds. See
docs/benchmarks.md.
"""
import argparse
import csv
import json
import os
import random
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PLOTS = os.path.join(HERE, "..", "..", "plots")
SHAPES = {"gpt2-17m": 8192, "llama-135m": 49152}  # vocabulary
PRECISIONS = ("fp32", "bf16")
BATCH, SHORTEST, LONGEST, PREFIX, HIDDEN, TOKENS, BEAM = 16, 24, 96, 10, 512, 48, 5
# Largest relative difference of the losses of the first step, which has the same parameters.
TOLERANCE = {"fp32": 1e-4, "bf16": 1e-2}
TARGETS = {"train": 3, "train, bf16 to PEFT fp32": 5, "greedy": 8, "beam": 8, "memory": 3}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--softprompt", required=True, help="the program")
    parser.add_argument("--work", default="build/bench-peft", help="folder for models and batches")
    parser.add_argument("--out", default="results/bench", help="folder for table, CSV and figure")
    parser.add_argument("--shapes", default=",".join(SHAPES), help="some of " + ", ".join(SHAPES))
    parser.add_argument("--precisions", default=",".join(PRECISIONS), help="fp32, bf16")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4, help="steps a round, after one to warm up")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    for name, known in (("shapes", SHAPES), ("precisions", PRECISIONS)):
        chosen = getattr(options, name).split(",")
        for one in chosen:
            if one not in known:
                parser.error("--%s has '%s'; use %s" % (name, one, ", ".join(known)))
        setattr(options, name, chosen)
    if min(options.rounds, options.steps, options.threads) < 1:
        parser.error("--rounds, --steps and --threads must be at least 1")
    return options


# ---- the two programs ----

def run(command, threads):
    """The output of a command; ends the program with its complaint if it fails."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), HF_HUB_OFFLINE="1",
                       TOKENIZERS_PARALLELISM="false")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=environment)
    if done.returncode:
        complaint = (done.stderr.strip().splitlines() or ["no message"])[-1]
        sys.exit("bench-peft: %s: exit code %d: %s" % (" ".join(command), done.returncode,
                                                       complaint))
    return done.stdout


def worker(*words):
    # PEFT_PYTHON may be a wrapper that sets library paths, which sys.executable would lose.
    python = os.environ.get("PEFT_PYTHON") or sys.executable
    return [python, os.path.join(HERE, "peft_worker.py"), *map(str, words)]


def make_work(shape, options):
    """The folder with the weights and the first parameters, and the file with the batches."""
    folder = os.path.join(options.work, shape)
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(os.path.join(folder, "init.safetensors")):
        run(worker("make", shape, folder, 1, PREFIX, HIDDEN), options.threads)
    numbers = random.Random(7)

    def sequences():
        return [[numbers.randrange(1, SHAPES[shape])
                 for _ in range(numbers.randint(SHORTEST, LONGEST))] for _ in range(BATCH)]
    batches = [sequences() for _ in range(1 + options.steps)]
    batches.sort(key=lambda b: -sum(map(len, b)))  # the largest warms up
    work = {"prefix": PREFIX, "hidden": HIDDEN, "threads": options.threads, "tokens": TOKENS,
            "beam": BEAM, "lr": 1e-4, "batches": batches,
            "inputs": [s[:len(s) // 2] for s in batches[0]]}
    path = os.path.join(folder, "workload.json")
    with open(path, "w") as file:
        json.dump(work, file)
    return folder, path


def measure(program, folder, workload, precision, options):
    if program == "softprompt":
        command = [options.softprompt, "bench", "--model", folder, "--precision", precision,
                   "--workload", workload, "--init-params",
                   os.path.join(folder, "init.safetensors"), "--threads", str(options.threads)]
    else:
        command = worker("measure", folder, workload, precision)
    return json.loads(run(command, options.threads).strip().splitlines()[-1])


# ---- what a process's result says ----

def train_speed(result):
    """Real tokens a second, the median over the steps but the first."""
    pairs = list(zip(result["train_tokens"], result["train_seconds"]))[1:]
    return statistics.median(tokens / seconds for tokens, seconds in pairs)


def generation_speed(name):
    return lambda result: BATCH * TOKENS / result[name + "_seconds"]


# name: (value of a result, unit, whether more is better)
MEASURES = {
    "train": (train_speed, "tok/s", True),
    "greedy": (generation_speed("greedy"), "tok/s", True),
    "beam": (generation_speed("beam"), "tok/s", True),
    "memory": (lambda r: r["generate_rss"] / 1e6, "MB", False),
    "memory, loaded": (lambda r: r["load_rss"] / 1e6, "MB", False),
    "memory, training": (lambda r: r["train_rss"] / 1e6, "MB", False),
    "load": (lambda r: r["load_seconds"], "s", False),
}


def row(shape, precision, name, measure_name, ours, theirs):
    """Ratios pair the rounds; above 1 softprompt is better."""
    value, unit, more = MEASURES[measure_name]
    a, b = [value(r) for r in ours], [value(r) for r in theirs]
    ratios = [x / y if more else y / x for x, y in zip(a, b)]
    ratio, target = statistics.median(ratios), TARGETS.get(name)
    return {"model": shape, "precision": precision, "measure": name, "unit": unit,
            "softprompt": statistics.median(a), "peft": statistics.median(b), "ratio": ratio,
            "low": min(ratios), "high": max(ratios), "rounds": len(ratios),
            "target": target or "",
            "verdict": "" if target is None else "met" if ratio >= target else "missed"}


def agreement(shape, precision, ours, theirs):
    """What says that both did the same work."""
    a, b = ours[0], theirs[0]
    differences = [abs(x - y) / abs(y) for x, y in zip(a["losses"], b["losses"])]
    shares = []
    for name in ("greedy_ids", "beam_ids"):
        equal = sum(x == y for p, q in zip(a[name], b[name]) for x, y in zip(p, q))
        shares.append(equal / (BATCH * TOKENS))
    return {"model": shape, "precision": precision, "first": differences[0],
            "largest": max(differences), "greedy": shares[0], "beam": shares[1],
            "same": differences[0] < TOLERANCE[precision]}


# ---- what is told ----

def put_table(rows, checks, machine, out):
    print(machine, file=out)
    print("\n%-11s %-10s %-25s %11s %11s       ratio (rounds)             target" % (
        "model", "precision", "measure", "softprompt", "PEFT"), file=out)
    for r in rows:
        print("%-11s %-10s %-25s %8.4g %-5s %5.4g %-5s %6.2f (%.2f .. %.2f of %d)   %s %s" % (
            r["model"], r["precision"], r["measure"], r["softprompt"], r["unit"], r["peft"],
            r["unit"], r["ratio"], r["low"], r["high"], r["rounds"],
            "%g" % r["target"] if r["target"] else "", r["verdict"]), file=out)
    print(file=out)
    for c in checks:
        print("%s, %s: losses differ by %.1e at the first step (at most %.0e: %s), by %.1e at most;"
              " equal ids: greedy %.1f %%, beam %.1f %%" % (
                  c["model"], c["precision"], c["first"], TOLERANCE[c["precision"]],
                  "the same work" if c["same"] else "NOT the same work", c["largest"],
                  100 * c["greedy"], 100 * c["beam"]), file=out)


def draw(rows, folder):
    """Bars of the ratios that have a target, a series a model and precision."""
    measures = ("train", "greedy", "beam", "memory")
    data = os.path.join(folder, "peft.dat")
    subjects = list(dict.fromkeys((r["model"], r["precision"]) for r in rows
                                  if r["measure"] in measures))
    blocks = []
    for subject in subjects:
        lines = ['"%s %s"' % subject]
        for r in rows:
            if (r["model"], r["precision"]) == subject and r["measure"] in measures:
                lines.append("%d %.6g %.6g %.6g" % (measures.index(r["measure"]), r["ratio"],
                                                    r["low"], r["high"]))
        blocks.append("\n".join(lines))
    with open(data, "w") as file:
        file.write("\n\n\n".join(blocks) + "\n")
    settings = "plots='%s';data='%s';out='%s';series=%d;tick_labels='%s';targets='%s';" % (
        PLOTS, data, os.path.join(folder, "peft.png"), len(subjects), " ".join(measures),
        " ".join(str(TARGETS[m]) for m in measures))
    try:
        subprocess.run(["gnuplot", "-e", settings, os.path.join(PLOTS, "bench_peft.gp")],
                       check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit("bench-peft: the figure could not be drawn: %s" % error)


def write_csv(rows, path):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def main():
    options = arguments()
    rows, checks, machine = [], [], None
    for shape in options.shapes:
        folder, workload = make_work(shape, options)
        results = {(precision, program): [] for precision in options.precisions
                   for program in ("softprompt", "peft")}
        for number in range(options.rounds):
            for precision, program in results:
                print("bench-peft: %s, %s, round %d of %d: %s" % (
                    shape, precision, number + 1, options.rounds, program), file=sys.stderr)
                results[precision, program].append(
                    measure(program, folder, workload, precision, options))
        for precision in options.precisions:
            ours, theirs = results[precision, "softprompt"], results[precision, "peft"]
            machine = "%s, %s, %d threads; softprompt %s, %s; %s" % (
                ours[0]["cpu"], ours[0]["instructions"], options.threads, ours[0]["version"],
                ours[0]["gemm"], theirs[0]["versions"])
            rows += [row(shape, precision, name, name, ours, theirs) for name in MEASURES]
            checks.append(agreement(shape, precision, ours, theirs))
        if set(PRECISIONS) <= set(options.precisions):
            rows.append(row(shape, "bf16/fp32", "train, bf16 to PEFT fp32", "train",
                            results["bf16", "softprompt"], results["fp32", "peft"]))
    os.makedirs(options.out, exist_ok=True)
    put_table(rows, checks, machine, sys.stdout)
    with open(os.path.join(options.out, "peft.txt"), "w") as file:
        put_table(rows, checks, machine, file)
    write_csv(rows, os.path.join(options.out, "peft.csv"))
    draw(rows, options.out)
    if not all(c["same"] for c in checks):
        sys.exit("bench-peft: the losses differ too much; the ratios above say nothing")


if __name__ == "__main__":
    main()
