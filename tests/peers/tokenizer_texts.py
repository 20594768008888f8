"""What the two comparisons of tokenizers share: texts, how softprompt is asked, small BPE models."""

import json
import os
import pathlib
import subprocess
import sys

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Regex, Tokenizer, decoders, models, trainers
from tokenizers import pre_tokenizers as pre

ROOT = pathlib.Path(__file__).resolve().parents[2]


def real_lines():
    files = sorted(ROOT.glob("docs/*.md")) + sorted(ROOT.glob("src/*/*.c")) + [ROOT / "README.md"]
    files.append(ROOT / "tests/golden/tokenizer/text.txt")
    lines = [line for path in files for line in path.read_text(encoding="utf-8").split("\n")]
    return [line for line in lines if line.strip()]


OTHER = [
    "Ärger über Öl: straße, café, naïve, señor, İstanbul, ǅ ǈ ﬁ ﬂ ½ Ⅷ",
    "Το κείμενο είναι ελληνικό. Это русский текст. עברית العربية हिन्दी ไทย",
    "日本語の文章。中文字符 한국어 문장 조합 가각",
    "e\u0301 o\u0308 a\u0323\u0302 \u1100\u1161\u11a8 🏳️‍🌈 👨‍👩‍👧 🇩🇪 1️⃣",
    "don't you're I'LL we'Ve it'ſ 12345 3.14 1,000 x²+y³ ① ٣٤٥",
    "tabs\tand\r\nline\nends  \n\n  \v\f \u0085\u00a0\u2003\u2028\u3000\u180e\u200b\ufeff.",
    "\x01\x07\x7f\x9f\ufffd\u00ad\u200e\u200d\u2060 control",
]


def random_character(rng, young):
    kind = rng.random()
    if kind < 0.35:
        return chr(rng.randint(0x20, 0x7E))
    if kind < 0.45:
        return rng.choice("'stredlvm \n\t\r")
    if kind < 0.6:
        return chr(rng.randint(0xA0, 0x17FF))
    if kind < 0.7:
        return rng.choice(rng.choice(OTHER))
    if kind < 0.8:
        return chr(rng.randint(0x2000, 0x33FF))
    if kind < 0.9:
        return chr(rng.choice([0x301, 0x308, 0x327, 0x4E00, 0xAC00, 0x1F600, 0x200D, 0x660]))
    code = rng.randint(0, 0x32FFF if young else 0xD7FF)
    return chr(code) if not 0xD800 <= code < 0xE000 else "x"


def make_lines(count, special, rng):
    real = real_lines()
    for i in range(count):
        if i % 2 == 0:
            line = rng.choice(real) if rng.random() < 0.8 else rng.choice(OTHER)
            if rng.random() < 0.3:
                at = rng.randint(0, len(line))
                line = line[:at] + random_character(rng, True) + line[at:]
        else:
            line = "".join(random_character(rng, True) for _ in range(rng.randint(1, 60)))
        for _ in range(rng.choice([0, 0, 1, 2]) if special else 0):
            at = rng.randint(0, len(line))
            space = rng.choice(["", "", " ", "  ", "\u3000"])
            line = line[:at] + space + rng.choice(special) + rng.choice(["", " "]) + line[at:]
        yield line


def ask(program, folder, options, values):
    text = "".join(json.dumps(value) + "\n" for value in values)
    done = subprocess.run(
        [program, "tokenize", "--model", folder, *options],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{folder}: {done.stderr.decode()}")
    return [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]


def count_same(name, what, inputs, ours, theirs, show):
    same = 0
    for text, a, b in zip(inputs, ours, theirs):
        same += a == b
        if a != b and show > 0:
            show -= 1
            print(f"  {name} {what}: {text!r}\n    ours   {a}\n    theirs {b}")
    return same


def bpe_trainer(special, size):
    return trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=special,
        initial_alphabet=pre.ByteLevel.alphabet(),
        show_progress=False,
    )


def byte_level(stages, corpus, normalizer=None, special=("<|endoftext|>", "<s>", "</s>"),
               size=1500):
    tokenizer = Tokenizer(models.BPE())
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = stages
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(corpus, bpe_trainer(list(special), size))
    return tokenizer


def split_then_bytes(expression):
    return pre.Sequence(
        [
            pre.Split(Regex(expression), "isolated"),
            pre.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
