#!/usr/bin/env python3
"""Golden scores of sacrebleu and rouge-score on generated texts.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install sacrebleu rouge-score
    /tmp/venv/bin/python tests/golden/make_metrics.py [SEED COUNT FOLDER]

Writes to tests/golden/metrics (or FOLDER):
  texts.tsv   one text a line: hypothesis TAB reference [TAB reference ...], 1 to 4 references
  scores.tsv  metric TAB first line TAB number of lines TAB score (0 to 100), for the whole file,
              for blocks of 30 lines and for every single line
"""
import random
import sys
from importlib.metadata import version
from pathlib import Path

import sacrebleu
from rouge_score import rouge_scorer

NOUNS = ("lantern harbour Ms.Okafor U.S. e-mail café naïve über-engineer O'Neill's 北京 東京タワー "
         "Ελλάδα ΣΊΣΥΦΟΣ İstanbul Kelvin résumé co-op 🚀 👩‍🔬 e\u0301lan Straße ﬁne x_y C++ "
         "a/b node.js R&D 3D-printer B2B").split()
VERBS = "is was isn't has holds joins re-reads can't won't outruns equals = -> ≥ runs".split()
REST = "the a of in by with and or near under not very well-known so-called the The THE of".split()
NUMBERS = ("3,141.59 2,000,000 1990-2000 -5 50%-60% $5.00 €12,50 .5 5. 1. 7th 10:30 192.168.0.1 "
           "1/2 ½ ٣٤ 1,2,3 4-ever 0-0 9.-9 1.,2").split()
ENDS = [".", "!", "?", "...", "…", " .", "?!", ",", ";", "", "", ".\"", "”", "。", "-", " -", "--"]
GLUE = [" ", " ", " ", " ", " ", "  ", ", ", ",", "-", " - ", " – ", "; ", ": ", "/", "\u00a0",
        "\u2009", "\u3000", "\r", "\x0b", "\x1c", "\x85", "\u200b", "\x7f", "\x01"]
WRAPS = ["%s"] * 6 + ['"%s"', "'%s'", "“%s”", "«%s»", "(%s)", "[%s]", "{%s}", "<%s>", "`%s`",
                      "*%s*", "&quot;%s&quot;", "&amp;%s", "&lt;%s&gt;",
                      "%s<skipped>", "&amp;quot;%s", "~%s^"]
SOUP = "aAbBzZ09 .,-'\"!?&;:/\\|()[]{}<>@#$%^*_+=~`éÉßſKÅİıΣςя中🙂\u0301\u2003"


def phrase(rng):
    kind = rng.choice([NOUNS, NOUNS, VERBS, REST, REST, NUMBERS])
    return rng.choice(WRAPS) % rng.choice(kind)


def sentence(rng):
    text = phrase(rng)
    for _ in range(rng.randrange(1, 14)):
        text += (rng.choice(GLUE) if rng.random() < 0.4 else " ") + phrase(rng)
    return text + rng.choice(ENDS)


def variant(rng, text):
    """The text with some words dropped, doubled, swapped, replaced or in another case."""
    words = text.split(" ")
    for _ in range(rng.randrange(0, 5)):
        i = rng.randrange(len(words))
        action = rng.randrange(5)
        if action == 0 and len(words) > 1:
            del words[i]
        elif action == 1:
            words.insert(i, words[i])
        elif action == 2:
            j = rng.randrange(len(words))
            words[i], words[j] = words[j], words[i]
        elif action == 3:
            words[i] = phrase(rng)
        else:
            words[i] = rng.choice([words[i].upper(), words[i].lower(), words[i].title()])
    return " ".join(words)


def soup(rng):
    return "".join(rng.choice(SOUP) for _ in range(rng.randrange(0, 40)))


def make_text(rng):
    base = soup(rng) if rng.random() < 0.15 else sentence(rng)
    references = [variant(rng, base) for _ in range(rng.randrange(1, 5))]
    if rng.random() < 0.04:
        references[rng.randrange(len(references))] = ""
    chance = rng.random()
    hypothesis = "" if chance < 0.03 else soup(rng) if chance < 0.1 else variant(rng, base)
    return [hypothesis] + references


def score(texts, scorer):
    hypotheses = [t[0] for t in texts]
    most = max(len(t) for t in texts) - 1
    streams = [[t[1 + r] if r + 1 < len(t) else None for t in texts] for r in range(most)]
    rouge = [scorer.score_multi(t[1:], t[0])["rougeL"].fmeasure for t in texts]
    return {
        "bleu": sacrebleu.corpus_bleu(hypotheses, streams, force=True).score,
        "chrf": sacrebleu.corpus_chrf(hypotheses, streams).score,
        "rouge-l": 100 * sum(rouge) / len(rouge),
    }


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(__file__).parent / "metrics"
    rng = random.Random(seed)
    texts = [make_text(rng) for _ in range(count)]
    assert not any(c in s for t in texts for s in t for c in "\t\n")
    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
    spans = [(0, count)] + [(i, min(30, count - i)) for i in range(0, count, 30)]
    spans += [(i, 1) for i in range(count)]
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "texts.tsv", "w", encoding="utf-8", newline="") as out:
        out.writelines("\t".join(t) + "\n" for t in texts)
    with open(folder / "scores.tsv", "w", encoding="utf-8") as out:
        for first, length in spans:
            for name, value in score(texts[first:first + length], scorer).items():
                out.write(f"{name}\t{first}\t{length}\t{value:.9f}\n")
    print(f"sacrebleu {version('sacrebleu')}, rouge-score {version('rouge-score')}: "
          f"{count} texts, {len(spans)} spans in {folder}")


main()
