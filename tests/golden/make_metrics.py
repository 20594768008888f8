#!/usr/bin/env python3
"""Golden scores of the metrics' reference tools on generated texts, labels and tags.

    python3 -m venv /tmp/venv
    /tmp/venv/bin/pip install sacrebleu rouge-score nltk pycocoevalcap scikit-learn seqeval
    /tmp/venv/bin/python tests/golden/make_metrics.py [SEED COUNT FOLDER]

nltk's METEOR reads the WordNet of the Debian package wordnet-base ($WNSEARCHDIR names another).

Writes to tests/golden/metrics (or FOLDER):
  texts.tsv   one text a line: hypothesis TAB reference [TAB reference ...], 1 to 4 references
  labels.tsv  one label a line: predicted TAB true; the last 20 lines are of one label only
  tags.tsv    a text's tags a line, separated by spaces: predicted TAB true; many of them malformed
  scores.tsv  metric TAB first line TAB number of lines TAB score, for the whole file, for blocks of
              50 lines and for single lines; of texts.tsv, for metrics of labels of labels.tsv, for
              those of tags of tags.tsv.
              A span is left out where the tool divides by zero.
"""
import os
import random
import re
import shutil
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

import sacrebleu
from nltk.corpus.reader.wordnet import WordNetCorpusReader
from nltk.stem.porter import PorterStemmer
from nltk.translate.meteor_score import meteor_score
from nltk.translate.nist_score import corpus_nist
from pycocoevalcap.cider.cider_scorer import CiderScorer
from rouge_score import rouge_scorer
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sklearn import metrics
from seqeval.metrics import sequence_labeling as seqeval

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
# Words of one group are forms, derivations or synonyms of each other.
GROUPS = [g.split() for g in (
    "car cars auto automobile automobiles machine", "house houses home homes dwelling",
    "big bigger biggest large larger great greatly", "quick quickly quicker fast speedily",
    "buy buys buying bought purchase purchases purchasing", "child children kid kids youngster",
    "begin begins beginning began start starts starting started commence",
    "happy happily happiness happier glad gladly", "city cities town towns metropolis",
    "run runs running ran operate operates operating operation", "walk walks walked walking stroll",
    "doctor doctors physician physicians medic", "picture pictures image images photo photograph",
    "woman women lady ladies", "man men gentleman guy", "baby babies infant infants",
    "relation relations relational relationship", "nation nations national nationality country",
    "street streets road roads avenue", "flat flats apartment apartments", "sea seas ocean oceans",
    "good better best well", "bad worse worst badly", "eat eats ate eaten eating",
    "write writes wrote written writing author authored", "near nearer nearest close closely",
    "Paris paris capital", "dog dogs puppy hound hounds", "knife knives wolf wolves leaf leaves",
    "died dies dying death dead", "organization organizations organizing organized body")]


def plain_sentence(rng):
    words = ["the", rng.choice(rng.choice(GROUPS))]
    for _ in range(rng.randrange(1, 9)):
        words.append(rng.choice(rng.choice(GROUPS)))
        if rng.random() < 0.5:
            words.append(rng.choice(REST))
    return (" ".join(words).capitalize() if rng.random() < 0.5 else " ".join(words)) + rng.choice(
        [".", ".", " .", "", "!"])


def related(rng, word):
    for group in GROUPS:
        if word in group:
            return rng.choice(group)
    return word


def phrase(rng):
    kind = rng.choice([NOUNS, NOUNS, VERBS, REST, REST, NUMBERS])
    return rng.choice(WRAPS) % rng.choice(kind)


def sentence(rng):
    text = phrase(rng)
    for _ in range(rng.randrange(1, 14)):
        text += (rng.choice(GLUE) if rng.random() < 0.4 else " ") + phrase(rng)
    return text + rng.choice(ENDS)


def variant(rng, text):
    """The text with some words dropped, doubled, swapped, replaced, moved or in another case."""
    words = text.split(" ")
    if rng.random() < 0.7:
        words = [related(rng, w) if rng.random() < 0.3 else w for w in words]
    if rng.random() < 0.3:
        i, j = rng.randrange(len(words)), rng.randrange(len(words))
        moved, rest = words[i:i + 4], words[:i] + words[i + 4:]
        words = rest[:j] + moved + rest[j:]
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
    kind = rng.random()
    base = soup(rng) if kind < 0.1 else sentence(rng) if kind < 0.5 else plain_sentence(rng)
    if rng.random() < 0.03:
        base = " ".join([base] * rng.randrange(2, 8))
    references = [variant(rng, base) for _ in range(rng.randrange(1, 5))]
    if rng.random() < 0.04:
        references[rng.randrange(len(references))] = ""
    chance = rng.random()
    hypothesis = "" if chance < 0.03 else soup(rng) if chance < 0.1 else variant(rng, base)
    return [hypothesis] + references


def make_label(rng, names):
    truth = rng.choice(names[:-1])
    return [truth if rng.random() < 0.6 else rng.choice(names), truth]


def make_tags(rng):
    """True tags that are mostly IOB2, and predicted ones some of which are right."""
    types = ["name", "class", "C-part", "part"]
    truth = []
    while len(truth) < rng.randrange(1, 12):
        kind = rng.choice(types)
        truth += rng.choice([["O"], ["O"], [f"B-{kind}"], [f"B-{kind}", f"I-{kind}"],
                             [f"B-{kind}", f"I-{kind}", f"I-{kind}"], [f"I-{kind}"]])
    noise = ["O"] + [f"{place}-{kind}" for place in "BBIIES" for kind in types]
    wrong = rng.choice([0, 0.1, 0.3, 0.8])
    predicted = [rng.choice(noise) if rng.random() < wrong else t for t in truth]
    return [" ".join(predicted), " ".join(truth)]


class WordNet(WordNetCorpusReader):
    def map_wn(self, version="wordnet"):
        """nltk's own copy of WordNet, which would be looked up here, is not needed."""


def open_wordnet(folder):
    """nltk's reader reads only below NLTK_DATA, and wants a file that Debian leaves out; METEOR
    needs nothing in it."""
    os.environ["NLTK_DATA"] = folder
    for name in Path(os.environ.get("WNSEARCHDIR", "/usr/share/wordnet")).iterdir():
        if name.is_file():
            shutil.copy(name, folder)
    with open(os.path.join(folder, "lexnames"), "w") as out:
        out.writelines(f"{i:02}\tname{i}\t1\n" for i in range(45))
    return WordNet(folder, None)


class Scorer:
    def __init__(self, wordnet):
        self.rouge = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
        self.cut = Tokenizer13a()
        self.wordnet = wordnet
        # Of nltk's variants the one that equals libstemmer's "porter".
        self.stemmer = PorterStemmer(mode=PorterStemmer.ORIGINAL_ALGORITHM)

    def words(self, text):
        return self.cut(text.rstrip().lower()).split()

    def nist(self, hypotheses, references):
        try:
            return corpus_nist([[self.words(r) for r in rs] for rs in references],
                               [self.words(h) for h in hypotheses])
        except ZeroDivisionError:
            return None

    def meteor(self, hypotheses, references):
        scores = [meteor_score([self.words(r) for r in rs], self.words(h), stemmer=self.stemmer,
                               wordnet=self.wordnet) for h, rs in zip(hypotheses, references)]
        return 100 * sum(scores) / len(scores)

    def cider(self, hypotheses, references):
        scorer = CiderScorer()
        for h, rs in zip(hypotheses, references):
            scorer += (" ".join(self.words(h)), [" ".join(self.words(r)) for r in rs])
        try:
            return scorer.compute_score()[0]
        except ValueError:  # no words in any reference
            return None

    def texts(self, texts):
        hypotheses, references = [t[0] for t in texts], [t[1:] for t in texts]
        most = max(len(t) for t in texts) - 1
        streams = [[t[1 + r] if r + 1 < len(t) else None for t in texts] for r in range(most)]

        def webnlg(text):
            return None if text is None else " ".join(re.split(r"(\W)", text.lower()))

        rouge = [self.rouge.score_multi(t[1:], t[0]) for t in texts]
        return {
            "bleu": sacrebleu.corpus_bleu(hypotheses, streams, force=True).score,
            "nist": self.nist(hypotheses, references),
            "meteor": self.meteor(hypotheses, references),
            **{name: 100 * sum(r[key].fmeasure for r in rouge) / len(rouge)
               for name, key in (("rouge-1", "rouge1"), ("rouge-2", "rouge2"),
                                 ("rouge-l", "rougeL"))},
            "cider": self.cider(hypotheses, references),
            "ter": sacrebleu.corpus_ter(hypotheses, streams).score,
            "chrf": sacrebleu.corpus_chrf(hypotheses, streams).score,
            "bleu-webnlg": sacrebleu.corpus_bleu(
                [webnlg(h) for h in hypotheses], [[webnlg(r) for r in s] for s in streams],
                tokenize="none", smooth_method="none", force=True).score,
            "bleu-e2e": sacrebleu.corpus_bleu(hypotheses, streams, lowercase=True,
                                              smooth_method="none", force=True).score,
        }

    def labels(self, pairs):
        predicted, truth = zip(*pairs)
        f1 = {average: 100 * metrics.f1_score(truth, predicted, average=average, zero_division=0)
              for average in ("macro", "weighted")}
        return {"accuracy": 100 * metrics.accuracy_score(truth, predicted),
                "macro-f1": f1["macro"], "weighted-f1": f1["weighted"],
                "mcc": 100 * metrics.matthews_corrcoef(truth, predicted)}


    def tags(self, pairs):
        predicted, truth = ([text.split(" ") for text in side] for side in zip(*pairs))
        return {"span-f1": 100 * seqeval.f1_score(truth, predicted, zero_division=0),
                "span-precision": 100 * seqeval.precision_score(truth, predicted, zero_division=0),
                "span-recall": 100 * seqeval.recall_score(truth, predicted, zero_division=0),
                "token-accuracy": 100 * seqeval.accuracy_score(truth, predicted)}


def write_lines(path, lines):
    with open(path, "w", encoding="utf-8", newline="") as out:
        out.writelines("\t".join(fields) + "\n" for fields in lines)


def spans(count, singles):
    return ([(0, count)] + [(i, min(50, count - i)) for i in range(0, count, 50)] +
            [(i, 1) for i in range(singles)])


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(__file__).parent / "metrics"
    rng = random.Random(seed)
    texts = [make_text(rng) for _ in range(count)]
    assert not any(c in s for t in texts for s in t for c in "\t\n")
    names = ["animal", "plant", "food", "café", "Food", "never true"]
    labels = [make_label(rng, names) for _ in range(count - 20)] + [["food", "food"]] * 20
    tag_rng = random.Random(f"tags {seed}")
    tags = [make_tags(tag_rng) for _ in range(count)]
    folder.mkdir(parents=True, exist_ok=True)
    write_lines(folder / "texts.tsv", texts)
    write_lines(folder / "labels.tsv", labels)
    write_lines(folder / "tags.tsv", tags)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as copy, open(folder / "scores.tsv", "w") as out:
        scorer = Scorer(open_wordnet(copy))
        for first, length in spans(count, 150):
            for name, value in scorer.texts(texts[first:first + length]).items():
                if value is not None:
                    out.write(f"{name}\t{first}\t{length}\t{value:.9f}\n")
        for first, length in spans(count, 20) + [(count - 20, 20)]:
            for name, value in scorer.labels(labels[first:first + length]).items():
                out.write(f"{name}\t{first}\t{length}\t{value:.9f}\n")
        for first, length in spans(count, 60):
            for name, value in scorer.tags(tags[first:first + length]).items():
                out.write(f"{name}\t{first}\t{length}\t{value:.9f}\n")
    packages = "sacrebleu", "rouge-score", "nltk", "pycocoevalcap", "scikit-learn", "seqeval"
    print(", ".join(f"{p} {version(p)}" for p in packages) + f": {count} texts in {folder}")


main()
