"""Golden files for the tokenizers: small tokenizer.json files and ids by Hugging Face's library.

Usage: python3 -m venv /tmp/venv && /tmp/venv/bin/pip install tokenizers==0.23.3
       /tmp/venv/bin/python tests/golden/make_tokenizer.py
"""

import json
import pathlib
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import processors, trainers

FOLDER = pathlib.Path(__file__).parent / "tokenizer"
TEXT = """A record of facts is turned into a sentence: the name of the city, the country it lies in.
The package isn't needed; it's kept because they've asked. We'll see what I'd do, who you're with.
Lower lowest newer newest wider widest, low low low, new new new, wide wide wide. 1984 + 2001 = 3985
Ärger über Öl: straße, café, naïve, señor. Το κείμενο είναι ελληνικό. Это русский текст. 日本語の文章。
    indented = code(a, b)[0] -> {x: 1, "y": 2};  # and   a   comment

tabs\tand\r\nline ends, then the end.
"""
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def train():
    """The GPT-2 layout, learnt from TEXT."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=340,
        min_frequency=2,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    return tokenizer


def variants():
    gpt2 = train()
    yield "gpt2", gpt2
    qwen = Tokenizer.from_str(gpt2.to_str())
    qwen.normalizer = normalizers.NFC()
    qwen.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    qwen.add_special_tokens(["<|im_start|>", "<|im_end|>", "<|im"])
    yield "qwen", qwen
    roberta = Tokenizer.from_str(gpt2.to_str())
    roberta.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    roberta.add_special_tokens(
        [AddedToken("<mask>", lstrip=True), AddedToken("<pad>", rstrip=True)]
    )
    yield "roberta", roberta
    digits = Tokenizer.from_str(gpt2.to_str())
    digits.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    yield "digits", digits


def train_wordpiece(normalizer):
    """BERT's layout, learnt from TEXT."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=special, show_progress=False
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


def staged_variants():
    """One file for each group of stages; their cases have pairs and decoded texts too."""
    bert = train_wordpiece(normalizers.BertNormalizer())
    bert.add_tokens([AddedToken("Café", normalized=True), AddedToken("low", single_word=True)])
    yield "bert", bert
    edited = train_wordpiece(
        normalizers.Sequence(
            [
                normalizers.Strip(),
                normalizers.Replace(Regex(r"\s{2,}"), " "),
                normalizers.Replace("``", '"'),
                normalizers.NFKD(),
                normalizers.StripAccents(),
                normalizers.Lowercase(),
                normalizers.Prepend("_"),
            ]
        )
    )
    edited.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Whitespace(),
            pre_tokenizers.Split(Regex("[0-9]+"), "merged_with_previous"),
            pre_tokenizers.Split("_", "merged_with_next"),
            pre_tokenizers.Split(Regex(r"(?=[t(])"), "isolated"),
            pre_tokenizers.Split(Regex(r"\w+"), "removed", invert=True),
            pre_tokenizers.Punctuation("contiguous"),
        ]
    )
    edited.post_processor = processors.RobertaProcessing(("[SEP]", 3), ("[CLS]", 2))
    edited.decoder = decoders.BPEDecoder("##")
    yield "edited", edited
    metaspace = train_wordpiece(normalizers.Sequence([normalizers.NFKC(), normalizers.NFD()]))
    metaspace.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    metaspace.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    metaspace.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    yield "metaspace", metaspace


SPACES = "\t\v\f\r \x85\xa0\u1680\u180e\u2003\u2028\u202f\u205f\u3000\u200b\ufeff"


def random_text(rng):
    kinds = [
        lambda: chr(rng.randint(0x20, 0x7E)),
        lambda: rng.choice("'stredlvm \n"),
        lambda: rng.choice(SPACES),
        lambda: chr(rng.randint(0xA0, 0x24F)),
        lambda: chr(rng.choice([0x300, 0x301, 0x65, 0x6F, 0x1100, 0x1161])),
        lambda: chr(rng.choice([0x4E00, 0x3042, 0x1F600, 0x1F1E6, 0x200D, 0x0660, 0x2167, 0xBD])),
    ]
    return "".join(rng.choice(kinds)() for _ in range(rng.randint(1, 24)))


def texts():
    rng = random.Random(20)
    yield from (line for line in TEXT.split("\n"))
    yield TEXT
    yield "<|endoftext|>a <|endoftext|>  <|endoftext|><|endoftext"
    yield "x<|im_start|>user\n<|im_end|><|im_st <|imend"
    yield "the  <mask>  city <pad>  . <mask><pad>\u3000<mask>"
    yield "low" * 40 + " " * 30 + "'" * 20
    yield from (random_text(rng) for _ in range(60))


def staged_case(name, tokenizer, text):
    """A text and the one after it: ids alone, of the pair with its types, and decoded."""
    pair = tokenizer.encode(text, text[::-1])
    return {
        "tokenizer": name,
        "text": text,
        "second": text[::-1],
        "ids": tokenizer.encode(text, add_special_tokens=False).ids,
        "pair": pair.ids,
        "types": pair.type_ids,
        "decoded": tokenizer.decode(pair.ids, skip_special_tokens=False),
        "skipped": tokenizer.decode(pair.ids, skip_special_tokens=True),
    }


def staged_texts():
    rng = random.Random(21)
    yield from TEXT.split("\n")
    yield "Café CAFÉ cafe\u0301 low lower (low) 中文[MASK]x  ``a''  _b_ [SEP]"
    yield "don't we 've , it 's . ? \x01\ufffd\u200d\u0898 ﬁ½Ⅷ\u1e030 İ"
    yield from (random_text(rng) for _ in range(30))


def main():
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "text.txt").write_text(TEXT, encoding="utf-8", newline="")
    cases = []
    for name, tokenizer in variants():
        tokenizer.save(str(FOLDER / f"{name}.json"), pretty=False)
        for text in texts():
            cases.append({"tokenizer": name, "text": text, "ids": tokenizer.encode(text).ids})
    for name, tokenizer in staged_variants():
        tokenizer.save(str(FOLDER / f"{name}.json"), pretty=False)
        cases += [staged_case(name, tokenizer, text) for text in staged_texts()]
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
    (FOLDER / "cases.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


main()
