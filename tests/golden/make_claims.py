"""Recorded study and what an independent bootstrap (numpy, sacrebleu) says about its claims.

Writes tests/golden/claims/: set.yaml and *.jsonl (a data set), study.yaml, answers.tsv (entry, length
of the prompt or -, seed, then one answer a field) and expected.tsv (claim, effect, low, high, p).
The method is that of docs/methods.md, "Claims", written down again from its description.
"""
import json
import pathlib
import random

import numpy as np
import sacrebleu

OUT = pathlib.Path(__file__).parent / "claims"
SOURCE = pathlib.Path(__file__).parent / "metrics" / "texts.tsv"
SEEDS, LENGTHS, TEXTS, B = [1, 2, 3], [1, 5, 20, 40], 60, 20000

CLAIMS = {
    "more": "mean(test.all.bleu | entry=prefix) > 0.9 * mean(test.all.bleu | entry=none)",
    "less": "mean(test.unseen.chrf | entry=prefix) + 1 < mean(test.unseen.chrf | entry=none)",
    "ter": "mean(test.all.ter | entry=prefix) <= mean(test.all.ter | entry=none)",
    "gaps": "mean(test.seen.bleu | entry=prefix) - mean(test.unseen.bleu | entry=prefix) < "
            "mean(test.seen.bleu | entry=none) - mean(test.unseen.bleu | entry=none)",
    "spread": "spread(test.all.bleu | entry=prefix) > spread(test.all.bleu | entry=none)",
    "best": "best(test.all.bleu | entry=prefix) > mean(test.all.bleu | entry=none)",
    "rises": "rises(mean(test.all.bleu | entry=prompt) over method.length)",
    "falls": "falls(mean(test.all.ter | entry=prompt) over method.length)",
    "flat": "rises-then-flat(mean(test.all.bleu | entry=prompt) over method.length)",
    "peak": "rises-then-falls(mean(test.all.bleu | entry=prompt) over method.length)",
    "shrinks": "shrinks(mean(test.all.bleu | entry=none) - mean(test.all.bleu | entry=prompt) "
               "over method.length)",
}


def read_texts():
    lines = [line.split("\t") for line in SOURCE.read_text().split("\n") if line]
    fit = [x[1:] for x in lines if len(x) > 1 and all(len(r.split()) > 4 for r in x[1:])
           and "\\" not in " ".join(x)]
    return fit[:TEXTS]


def spoil(text, share, rng):
    words = [w for w in text.split() if rng.random() > share / 2]
    return " ".join(w if rng.random() > share / 2 else "thing" for w in words) or "thing"


def answers(references, groups):
    """{(entry, length, seed): texts}; the share of spoilt words differs by run."""
    rng = random.Random(7)
    shares = {("prefix", "-"): 0.25, ("none", "-"): 0.33, ("prompt", 1): 0.8, ("prompt", 5): 0.4,
              ("prompt", 20): 0.3, ("prompt", 40): 0.32}
    out = {}
    for (entry, length), share in shares.items():
        for seed in SEEDS:
            noise = rng.uniform(-0.05, 0.05) * (2 if entry == "prefix" else 1)
            out[entry, length, seed] = [
                spoil(r[0], share + noise + (0.15 if g == "unseen" and entry == "none" else 0), rng)
                for r, g in zip(references, groups)]
    return out


class Scores:
    """Sums by text of sacrebleu's own statistics, and the score of their total."""

    def __init__(self, name, references):
        self.name = name
        self.metric = {"bleu": sacrebleu.BLEU(effective_order=False), "chrf": sacrebleu.CHRF(),
                       "ter": sacrebleu.TER()}[name]
        most = max(map(len, references))
        self.references = [[r[k] if k < len(r) else None for r in references] for k in range(most)]

    def sums(self, texts):
        stats = self.metric._extract_corpus_statistics(texts, self.references)
        return np.array(stats, dtype=float)

    def score(self, total):
        values = [float(x) for x in total]
        if self.name != "ter":
            values = [int(round(x)) for x in values]
        return self.metric._compute_score_from_stats(values).score


def scores_of(name, sums, groups, group, counts):
    keep = np.array([group in ("all", g) for g in groups])
    scorer = SCORERS[name]
    return np.array([scorer.score(row) for row in (counts * keep) @ sums])


def p_of(values):
    low, high = np.sum(values <= 0), np.sum(values >= 0)
    return min(1.0, 2 * (min(low, high) + 1) / (len(values) + 1))


def interval(effect, replicates, p=None):
    low, high = np.quantile(replicates, [0.025, 0.975])
    return effect, low, high, p_of(replicates) if p is None else p


def fitted(y):
    x = np.arange(y.shape[-1]) - (y.shape[-1] - 1) / 2
    return (y @ x) / (x @ x) * (y.shape[-1] - 1)


def highest(y, reps, base, places):
    """Two-sided p of the highest of some points above a base, the choice taken into account."""
    observed = max(y[j] - y[base] for j in places)
    away = np.max([(reps[:, j] - reps[:, base]) - (y[j] - y[base]) for j in places], axis=0)
    return observed, away


def main():
    OUT.mkdir(exist_ok=True)
    references = read_texts()
    groups = ["seen" if i % 2 else "unseen" for i in range(len(references))]
    said = answers(references, groups)
    for name in ("bleu", "chrf", "ter"):
        SCORERS[name] = Scores(name, references)

    rng = np.random.default_rng(5)
    counts = np.zeros((B, len(references)))
    for group in ("seen", "unseen"):
        members = np.array([i for i, g in enumerate(groups) if g == group])
        drawn = rng.integers(0, len(members), (B, len(members)))
        for b in range(B):
            counts[b, members] = np.bincount(drawn[b], minlength=len(members))
    n = len(SEEDS)
    g = rng.standard_normal((B, n))
    t = np.sqrt((n - 1) / rng.chisquare(n - 1, B))
    weights = 1 + np.sqrt(n / (n - 1)) * t[:, None] * (g - g.mean(1, keepdims=True))
    times = np.stack([np.bincount(d, minlength=n) for d in rng.integers(0, n, (B, n))])

    once, cache = np.ones((1, len(references))), {}

    def runs(entry, length, name, group):
        """Scores of the seeds: as they are [n], and resampled [B, n]."""
        key = entry, length, name, group
        if key not in cache:
            sums = [SCORERS[name].sums(said[entry, length, s]) for s in SEEDS]
            cache[key] = (
                np.array([scores_of(name, s, groups, group, once)[0] for s in sums]),
                np.stack([scores_of(name, s, groups, group, counts) for s in sums], axis=1))
        return cache[key]

    def mean(entry, name, group="all", length="-"):
        value, reps = runs(entry, length, name, group)
        return value.mean(), reps.mean(1) + ((weights - 1) * value).mean(1)

    def less(a, b, factor=1.0, shift=0.0):
        return a[0] + shift - factor * b[0], a[1] + shift - factor * b[1]

    def spread(entry):
        value, reps = runs(entry, "-", "bleu", "all")
        centre = (reps * times).sum(1, keepdims=True) / n
        variance = (times * (reps - centre) ** 2).sum(1) / (n - 1) * n / (n - 1)
        return value.std(ddof=1), np.sqrt(variance)

    def best(entry):
        value, reps = runs(entry, "-", "bleu", "all")
        return value.max(), reps[:, value.argmax()]

    def plain_mean(entry):
        value, reps = runs(entry, "-", "bleu", "all")
        return value.mean(), reps.mean(1)

    def curve(name):
        points = [mean("prompt", name, "all", length) for length in LENGTHS]
        return np.array([p[0] for p in points]), np.stack([p[1] for p in points], axis=1)

    result = {}
    result["more"] = interval(*less(mean("prefix", "bleu"), mean("none", "bleu"), 0.9))
    result["less"] = interval(*less(mean("prefix", "chrf", "unseen"), mean("none", "chrf", "unseen"),
                                    shift=1))
    result["ter"] = interval(*less(mean("prefix", "ter"), mean("none", "ter")))
    gap = [less(mean(e, "bleu", "seen"), mean(e, "bleu", "unseen")) for e in ("prefix", "none")]
    result["gaps"] = interval(*less(*gap))
    result["spread"] = interval(*less(spread("prefix"), spread("none")))
    result["best"] = interval(*less(best("prefix"), plain_mean("none")))
    y, reps = curve("bleu")
    result["rises"] = interval(fitted(y), fitted(reps))
    ter, ter_reps = curve("ter")
    result["falls"] = interval(fitted(ter), fitted(ter_reps))
    peak = int(y[1:].argmax()) + 1
    observed, away = highest(y, reps, 0, range(1, len(y)))
    p = min(1.0, 2 * (np.sum(away >= observed) + 1) / (B + 1))
    result["flat"] = interval(y[peak] - y[0], reps[:, peak] - reps[:, 0], p)
    inner = range(1, len(y) - 1)
    peak = max(inner, key=lambda j: min(y[j] - y[0], y[j] - y[-1]))
    p = max(min(1.0, 2 * (np.sum(highest(y, reps, e, inner)[1] >= y[peak] - y[e]) + 1) / (B + 1))
            for e in (0, len(y) - 1))
    flank = np.minimum(reps[:, peak] - reps[:, 0], reps[:, peak] - reps[:, -1])
    result["peak"] = interval(min(y[peak] - y[0], y[peak] - y[-1]), flank, p)
    none = mean("none", "bleu")
    result["shrinks"] = interval(fitted(none[0] - y), fitted(none[1][:, None] - reps))

    write(references, groups, said, result)


def write(references, groups, said, result):
    for split in ("train", "dev", "test"):
        with open(OUT / f"{split}.jsonl", "w") as f:
            for i, (r, g) in enumerate(zip(references, groups)):
                if split == "test" or i < 2:
                    print(json.dumps({"input": f"record {i}", "references": r, "group": g}), file=f)
    (OUT / "set.yaml").write_text(
        "name: set\ntitle: Texts of the metric tests\nlicence: as those\nsource: make_claims.py\n"
        "reader: jsonl\nsplits: {train: train.jsonl, dev: dev.jsonl, test: test.jsonl}\n")
    lines = ["# Written by make_claims.py", "name: golden",
             "base: {model: m, dataset: tests/golden/claims/set.yaml}",
             "methods:", "  prefix: {}", "  none: {}",
             f"  prompt: {{grid: {{length: {LENGTHS}}}}}", f"seeds: {SEEDS}", "claims:"]
    for name, test in CLAIMS.items():
        lines.append(f"  - {{id: {name}, text: {name}, test: \"{test}\"}}")
    (OUT / "study.yaml").write_text("\n".join(lines) + "\n")
    with open(OUT / "answers.tsv", "w") as f:
        for (entry, length, seed), texts in said.items():
            print(entry, length, seed, *texts, sep="\t", file=f)
    with open(OUT / "expected.tsv", "w") as f:
        for name in CLAIMS:
            print(name, *(f"{x:.8g}" for x in result[name]), sep="\t", file=f)


SCORERS = {}
if __name__ == "__main__":
    main()
