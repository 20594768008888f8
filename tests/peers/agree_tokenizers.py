"""Agreement of the tokenizers with Hugging Face's library, line by line, and the speed of both.

For every pipeline: ids of texts, ids and types with the special tokens at the ends, of pairs too,
and what decoding gives, with special tokens and without. Pipelines are trained here on this
repository's texts, with the expressions and stages of real models; --model adds folders with a
tokenizer.json.

Usage: python tests/peers/agree_tokenizers.py [--program build/softprompt] [--lines 10000]
           [--only NAME] [--model FOLDER ...], with a Python that has tokenizers 0.23.3
"""

import argparse
import pathlib
import random
import tempfile
import time

from tokenizer_texts import OTHER, ROOT, ask, byte_level, count_same, make_lines, real_lines
from tokenizer_texts import split_then_bytes
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers as pre
from tokenizers import processors, trainers

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def wordpiece(corpus, normalizer, cleanup=True):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=cleanup)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        corpus,
        trainers.WordPieceTrainer(vocab_size=1500, special_tokens=special, show_progress=False),
    )
    return tokenizer


def pipelines(corpus):
    yield "gpt2", byte_level(pre.ByteLevel(add_prefix_space=False), corpus)

    llama3 = byte_level(split_then_bytes(LLAMA3), corpus)
    llama3.add_special_tokens(["<|begin_of_text|>", "<|eot_id|>"])
    begin = llama3.token_to_id("<|begin_of_text|>")
    llama3.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single="<|begin_of_text|> $A",
                pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
                special_tokens=[("<|begin_of_text|>", begin)],
            ),
        ]
    )
    yield "llama3", llama3

    qwen2 = byte_level(split_then_bytes(QWEN2), corpus, normalizers.NFC())
    qwen2.add_special_tokens(["<|im_start|>", "<|im_end|>", "<|im"])
    qwen2.add_tokens([AddedToken("softprompt", normalized=True), AddedToken(" é", normalized=True)])
    yield "qwen2", qwen2

    yield "o200k", byte_level(split_then_bytes(O200K), corpus)

    smollm = byte_level(
        pre.Sequence([pre.Digits(individual_digits=True), pre.ByteLevel(add_prefix_space=False)]),
        corpus,
    )
    yield "smollm2", smollm

    roberta = byte_level(pre.ByteLevel(add_prefix_space=True), corpus)
    roberta.add_special_tokens(
        [AddedToken("<mask>", lstrip=True), AddedToken("<pad>", rstrip=True)]
    )
    roberta.add_tokens([AddedToken("word", single_word=True), AddedToken("née", single_word=True)])
    roberta.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 1))
    yield "roberta", roberta

    uncased = wordpiece(corpus, normalizers.BertNormalizer())
    uncased.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    uncased.add_tokens([AddedToken("SoftPrompt", normalized=True), "Zürich"])
    yield "bert-uncased", uncased

    cased = wordpiece(corpus, normalizers.BertNormalizer(lowercase=False), cleanup=False)
    cased.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    yield "bert-cased", cased

    accents = wordpiece(corpus, normalizers.BertNormalizer(strip_accents=False))
    accents.pre_tokenizer = pre.Sequence([pre.Whitespace(), pre.Punctuation("contiguous")])
    yield "bert-accents", accents

    edited = wordpiece(
        corpus,
        normalizers.Sequence(
            [
                normalizers.Strip(),
                normalizers.Replace("``", '"'),
                normalizers.Replace(Regex(r"\s{2,}"), " "),
                normalizers.NFKD(),
                normalizers.StripAccents(),
                normalizers.Lowercase(),
                normalizers.Prepend("_"),
            ]
        ),
    )
    edited.pre_tokenizer = pre.Sequence(
        [
            pre.WhitespaceSplit(),
            pre.Split(Regex(r"[0-9]+"), "merged_with_previous"),
            pre.Split("_", "merged_with_next"),
            pre.Split(Regex(r"(?=[(\[])"), "isolated"),
            pre.Split(Regex(r"\w+"), "removed", invert=True),
        ]
    )
    yield "edited", edited

    meta = wordpiece(corpus, normalizers.Sequence([normalizers.NFKC(), normalizers.NFD()]))
    meta.pre_tokenizer = pre.Metaspace(prepend_scheme="first")
    meta.decoder = decoders.Metaspace(prepend_scheme="first")
    yield "metaspace", meta

    always = wordpiece(corpus, normalizers.NFC())
    always.pre_tokenizer = pre.Sequence([pre.WhitespaceSplit(), pre.Metaspace()])
    always.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    yield "sequence", always


def measure(tokenizer, program, folder, lines):
    """Tokens a second on one thread, without printing: ours, theirs (the faster of two ways)."""
    ours = max(
        (lambda r: r["tokens"] / r["seconds"])(
            ask(program, folder, ["--json", "--speed"], lines)[0]
        )
        for _ in range(3)
    )
    theirs = 0
    for _ in range(3):
        start = time.perf_counter()
        tokens = sum(len(tokenizer.encode(line, add_special_tokens=False).ids) for line in lines)
        one = time.perf_counter() - start
        start = time.perf_counter()
        tokenizer.encode_batch_fast(lines, add_special_tokens=False)
        theirs = max(theirs, tokens / min(one, time.perf_counter() - start))
    return ours, theirs


def compare(name, tokenizer, args, folder):
    tokenizer.no_truncation()
    tokenizer.no_padding()
    rng = random.Random(name)
    special = [t.content for t in tokenizer.get_added_tokens_decoder().values()]
    lines = list(make_lines(args.lines, special, rng))
    results = {}

    theirs = [tokenizer.encode(line, add_special_tokens=False).ids for line in lines]
    ours = [r["ids"] for r in ask(args.program, folder, ["--json"], lines)]
    results["ids"] = count_same(name, "ids", lines, ours, theirs, args.show)

    pairs = [[a, b] for a, b in zip(lines[::2], lines[1::2])]
    encodings = [tokenizer.encode(a) for a in lines] + [tokenizer.encode(a, b) for a, b in pairs]
    wanted = [[e.ids, e.type_ids] for e in encodings]
    got = [
        [r["ids"], r["types"]]
        for r in ask(args.program, folder, ["--json", "--special"], lines + pairs)
    ]
    results["pairs"] = count_same(name, "pairs", lines + pairs, got, wanted, args.show)

    sequences = [e.ids for e in encodings]
    vocabulary = tokenizer.get_vocab_size()
    sequences += [[rng.randrange(vocabulary) for _ in range(20)] for _ in range(1000)]
    for what, options, skip in [("decode", [], False), ("skip", ["--skip-special"], True)]:
        texts = [tokenizer.decode(ids, skip_special_tokens=skip) for ids in sequences]
        back = ask(args.program, folder, ["--decode", *options], sequences)
        results[what] = count_same(name, what, sequences, back, texts, args.show)
    real = real_lines()
    speed = measure(tokenizer, args.program, folder, real)
    counts = " ".join(
        f"{n}/{of}"
        for n, of in zip(
            results.values(), [len(lines), len(lines) + len(pairs), len(sequences), len(sequences)]
        )
    )
    print(f"{name:14} {counts}   {speed[0] / 1e6:.2f} {speed[1] / 1e6:.2f} M tokens/s", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=str(ROOT / "build/softprompt"))
    parser.add_argument("--lines", type=int, default=10000)
    parser.add_argument("--only", help="one pipeline")
    parser.add_argument("--model", nargs="*", default=[str(ROOT / "models/gpt2-4m")])
    parser.add_argument("--show", type=int, default=2, help="differences to print")
    args = parser.parse_args()
    corpus = real_lines() + OTHER * 20
    print("pipeline: equal ids, with special tokens and pairs, decoded, without special; ours, theirs")
    for folder in args.model:
        name = pathlib.Path(folder).parent.name if folder.endswith("model") else folder
        tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
        if args.only in (None, pathlib.Path(folder).name):
            compare(pathlib.Path(name).name, tokenizer, args, folder)
    for name, tokenizer in pipelines(corpus):
        if args.only not in (None, name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            tokenizer.save(f"{folder}/tokenizer.json")
            compare(name, tokenizer, args, folder)


main()
