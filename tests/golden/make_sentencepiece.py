"""Golden files for tokenizers that are no byte-level tokenizer.json: SentencePiece's Unigram and BPE
as tokenizer.json and GGUF, vocab.json with merges.txt, vocab.txt; ids and decoded texts by Hugging
Face's library.

Usage: python tests/golden/make_sentencepiece.py
       with transformers 5.23, tokenizers 0.23.3, sentencepiece, protobuf and gguf 0.19
"""
import json
import pathlib
import random
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "peers"))
import agree_formats as peers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

FOLDER = pathlib.Path(__file__).parent / "sentencepiece"
TEXT = (pathlib.Path(__file__).parent / "tokenizer" / "text.txt").read_text(encoding="utf-8")
# Some of NFKC: wide letters, a ligature, composed letters, a syllable; blanks; nothing.
RULES = {"\uff21": "A", "\uff22": "B", "\ufb01": "fi", "e\u0301": "\u00e9", "o\u0308": "\u00f6", "\u1100\u1161": "\uac00",
         "\t": " ", "\r": " ", "\u3000": " ", "\u200b": "", "\u00bd": "1/2", "\u2167": "VIII"}


def rules_file(folder):
    path = pathlib.Path(folder) / "rules.tsv"
    codes = lambda text: " ".join(f"{ord(c):X}" for c in text)
    path.write_text("".join(f"{codes(source)}\t{codes(target)}\n" for source, target in RULES.items()))
    return str(path)


def ends(tokenizer, single, pair, tokens):
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=tokens)
    return tokenizer


def unigram(folder, sentences):
    path = peers.train(folder, "t5", sentences, model_type="unigram", vocab_size=220, pad_id=0, eos_id=1, unk_id=2,
                       bos_id=-1, normalization_rule_tsv=rules_file(folder), hard_vocab_limit=False)
    proto = peers.proto_of(path)
    tokenizer = Tokenizer(models.Unigram([(p.piece, p.score) for p in proto.pieces], 2))
    tokenizer.normalizer = normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")])
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>"])
    ends(tokenizer, "$A </s>", "$A </s> $B:1 </s>:1", [("</s>", 1)])
    peers.save(FOLDER, "t5", tokenizer)
    peers.spm_gguf(FOLDER, "t5", "t5", proto)
    yield "t5", tokenizer
    yield "t5.gguf", tokenizer


def bpe(folder, sentences):
    path = peers.train(folder, "llama", sentences, model_type="bpe", vocab_size=480, byte_fallback=True,
                       normalization_rule_name="identity", remove_extra_whitespaces=False)
    proto = peers.proto_of(path)
    vocabulary = {piece.piece: id for id, piece in enumerate(proto.pieces)}
    merges = peers.generate_merges(vocabulary, {piece.piece: piece.score for piece in proto.pieces})
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    ends(tokenizer, "<s> $A", "<s> $A <s>:1 $B:1", [("<s>", 1)])
    peers.save(FOLDER, "llama", tokenizer)
    peers.spm_gguf(FOLDER, "llama", "llama", proto)
    yield "llama", tokenizer
    yield "llama.gguf", tokenizer


def folders(sentences):
    pre = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    model = json.loads(peers.byte_level(pre, sentences, special=special, size=340).to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    peers.merges_folder(FOLDER, "roberta", model, {"tokenizer_class": "RobertaTokenizer"})
    mask = peers.AddedToken("<mask>", lstrip=True, special=True, normalized=False)
    yield "roberta", peers.RobertaTokenizer(model["vocab"], merges, mask_token=mask).backend_tokenizer

    model = json.loads(peers.byte_level(pre, sentences, special=["<|endoftext|>"], size=340).to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    peers.merges_folder(FOLDER, "gpt2", model, None)
    yield "gpt2", peers.GPT2Tokenizer(model["vocab"], merges).backend_tokenizer

    from tokenizers import BertWordPieceTokenizer
    for name, lower in (("bert", True), ("bert-cased", False)):
        learnt = BertWordPieceTokenizer(lowercase=lower)
        learnt.train_from_iterator(sentences, vocab_size=200, show_progress=False)
        vocabulary = learnt.get_vocab()
        (FOLDER / name).mkdir(exist_ok=True)
        lines = "".join(token + "\n" for token in sorted(vocabulary, key=vocabulary.get))
        (FOLDER / name / "vocab.txt").write_text(lines, encoding="utf-8")
        if not lower:
            peers.write_json(FOLDER / name, "tokenizer_config.json", {"do_lower_case": False, "strip_accents": False})
        yield name, peers.BertTokenizer(vocabulary, do_lower_case=lower,
                                        strip_accents=None if lower else False).backend_tokenizer


def texts():
    rng = random.Random(6)
    yield from TEXT.split("\n")
    yield "  two spaces,   three ; \u3000wide\u200b \uff21\uff22 \ufb01sh e\u0301 o\u0308\u0301 \u1100\u1161 \u00bd"
    yield "<s>a</s> <unk><pad> [CLS] b [MASK] <mask>c <|endoftext|>d <0x41>"
    for _ in range(24):
        yield "".join(rng.choice([lambda: rng.choice("aelow nrt'"), lambda: rng.choice(list(RULES)),
                                  lambda: chr(rng.choice([0x301, 0x4E00, 0x1F600, 0x200D, 0xE9, 0x20, 0xAC00]))])()
                      for _ in range(rng.randint(1, 20)))


def main():
    FOLDER.mkdir(exist_ok=True)
    sentences = [line.strip() for line in TEXT.split("\n") if line.strip()] * 3
    cases = []
    with tempfile.TemporaryDirectory() as work:
        for group in (unigram(work, sentences), bpe(work, sentences), folders(sentences)):
            for name, tokenizer in group:
                for text in texts():
                    ids = tokenizer.encode(text, add_special_tokens=False).ids
                    cases.append({"tokenizer": name, "text": text, "ids": ids,
                                  "ends": tokenizer.encode(text).ids[:1] + tokenizer.encode(text).ids[-1:],
                                  "decoded": tokenizer.decode(ids, skip_special_tokens=False)})
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (FOLDER / "cases.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


main()
