"""Ids of SentencePiece models, GGUF files and vocabulary folders against Hugging Face's.

Trains small SentencePiece models on this repository's texts, converts them with transformers'
converters, writes them as GGUF, and compares the ids of every line with the library's. Prints a
table; the exit code says whether all lines agree. agree_tokenizers.py does the same, and more, for
tokenizer.json.

Usage: python tests/peers/agree_formats.py [--program build/softprompt] [--lines 12000],
       with a Python that has the packages of requirements.txt
"""
import argparse
import json
import os
import random
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import gguf
import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as spm_pb2
from tokenizer_texts import ROOT, ask, byte_level, count_same, make_lines, real_lines, split_then_bytes
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import BertTokenizer, GPT2Tokenizer, LlamaTokenizer, RobertaTokenizer
from transformers import convert_slow_tokenizer as convert
from transformers.tokenization_utils_base import generate_merges

# For words in other scripts; of the vocabularies' training texts only.
BLOCKS = [(0xA0, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x700), (0x900, 0x980), (0xE00, 0xE80),
          (0x1100, 0x1200)]


class Slow:
    """What transformers' converters ask a slow tokenizer for."""

    def __init__(self, path, **options):
        self.vocab_file = path
        self.spm = sentencepiece.SentencePieceProcessor(model_file=path)
        self.__dict__.update(options)

    def convert_tokens_to_ids(self, token):
        return self.spm.piece_to_id(token)

    def convert_ids_to_tokens(self, id):
        return self.spm.id_to_piece(id)


def train(folder, name, sentences, **options):
    prefix = os.path.join(folder, name)
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(sentences), model_prefix=prefix, minloglevel=2,
                                             num_threads=1, **options)
    return prefix + ".model"


def proto_of(path):
    proto = spm_pb2.ModelProto()
    with open(path, "rb") as file:
        proto.ParseFromString(file.read())
    return proto


def save(folder, name, tokenizer):
    path = os.path.join(folder, name)
    os.makedirs(path, exist_ok=True)
    tokenizer.save(os.path.join(path, "tokenizer.json"))
    return path


def start_gguf(folder, name, model, tokens, types):
    path = os.path.join(folder, name + ".gguf")
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model(model)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    return path, writer


def finish_gguf(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def spm_gguf(folder, name, model, proto):
    """A GGUF as llama.cpp's converter writes it; SentencePiece's token types are llama.cpp's."""
    types = [piece.type for piece in proto.pieces]
    path, writer = start_gguf(folder, name, model, [p.piece.encode() for p in proto.pieces], types)
    writer.add_token_scores([p.score for p in proto.pieces])
    writer.add_unk_token_id(proto.trainer_spec.unk_id)
    if proto.trainer_spec.bos_id >= 0:
        writer.add_bos_token_id(proto.trainer_spec.bos_id)
    writer.add_eos_token_id(proto.trainer_spec.eos_id)
    if model == "t5" and proto.normalizer_spec.precompiled_charsmap:
        writer.add_precompiled_charsmap(proto.normalizer_spec.precompiled_charsmap)
    finish_gguf(writer)
    return path


def unigram_cases(folder, sentences):
    common = dict(model_type="unigram", vocab_size=3000, character_coverage=0.998)
    t5 = train(folder, "t5", sentences, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, **common)
    slow = Slow(t5, _extra_ids=100, add_prefix_space=True, legacy=True)
    tokenizer = convert.T5Converter(slow).converted()
    yield "Unigram, T5 converter", save(folder, "t5", tokenizer), tokenizer, ["</s>", "<extra_id_7>"]

    published = Tokenizer(tokenizer.model)
    published.normalizer = normalizers.Precompiled(proto_of(t5).normalizer_spec.precompiled_charsmap)
    published.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")])
    published.decoder = decoders.Metaspace(prepend_scheme="always")
    published.add_special_tokens(["<pad>", "</s>", "<unk>"])
    yield "Unigram, T5 as published", save(folder, "t5p", published), published, ["</s>"]
    yield "Unigram, GGUF (t5)", spm_gguf(folder, "t5", "t5", proto_of(t5)), published, ["</s>"]

    albert = train(folder, "albert", sentences, pad_id=0, unk_id=1, bos_id=-1, eos_id=-1,
                   control_symbols=["[CLS]", "[SEP]"], user_defined_symbols=["[MASK]"],
                   normalization_rule_name="nmt_nfkc_cf", **common)
    tokenizer = convert.AlbertConverter(
        Slow(albert, keep_accents=False, do_lower_case=True, add_prefix_space=True, legacy=True)).converted()
    yield "Unigram, ALBERT converter", save(folder, "albert", tokenizer), tokenizer, ["[CLS]", "[MASK]"]

    xlmr = train(folder, "xlmr", sentences, normalization_rule_name="nfkc", **common)
    tokenizer = convert.XLMRobertaConverter(Slow(xlmr, add_prefix_space=True, legacy=True)).converted()
    yield "Unigram, XLM-R converter", save(folder, "xlmr", tokenizer), tokenizer, ["<s>"]

    fallback = train(folder, "fallback", sentences, byte_fallback=True, **common)
    proto = proto_of(fallback)
    tokenizer = Tokenizer(models.Unigram([(p.piece, p.score) for p in proto.pieces], 0, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="first")])
    tokenizer.add_special_tokens(["<s>", "</s>"])
    yield "Unigram, byte fallback", save(folder, "fallback", tokenizer), tokenizer, ["<s>"]


def bpe_cases(folder, sentences):
    path = train(folder, "llama", sentences, model_type="bpe", vocab_size=3000, byte_fallback=True,
                 character_coverage=0.998, normalization_rule_name="identity", remove_extra_whitespaces=False,
                 allow_whitespace_only_pieces=True, split_digits=True)
    proto = proto_of(path)
    scores = {piece.piece: piece.score for piece in proto.pieces}
    vocabulary = {piece.piece: id for id, piece in enumerate(proto.pieces)}
    merges = generate_merges(vocabulary, scores)
    legacy = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    legacy.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    legacy.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
                                        decoders.Strip(" ", 1, 0)])
    legacy.add_special_tokens(["<unk>", "<s>", "</s>"])
    yield "SentencePiece BPE, Llama 2", save(folder, "llama", legacy), legacy, ["<s>"]
    yield "SentencePiece BPE, GGUF (llama)", spm_gguf(folder, "llama", "llama", proto), legacy, ["<s>"]
    newer = LlamaTokenizer(vocabulary, merges).backend_tokenizer
    yield "SentencePiece BPE, LlamaTokenizer", save(folder, "llama-new", newer), newer, ["<s>"]
    unfused = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=False))
    unfused.normalizer = normalizers.Replace(" ", "\u2581")
    unfused.decoder = decoders.Replace("\u2581", " ")
    yield "BPE by characters, unknown not fused", save(folder, "unfused", unfused), unfused, []
    fused = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, ignore_merges=True))
    fused.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    fused.decoder = decoders.Metaspace(prepend_scheme="first")
    yield "BPE by characters, unknown fused, words first", save(folder, "fused", fused), fused, []


def gguf_bpe_cases(folder, sentences):
    from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS as splits
    kinds = {"gpt-2": pre_tokenizers.ByteLevel(add_prefix_space=False),
             "smollm": pre_tokenizers.Sequence([pre_tokenizers.Digits(True),
                                                pre_tokenizers.ByteLevel(add_prefix_space=False)])}
    kinds.update({name: split_then_bytes(splits[name]) for name in ("qwen2", "llama-bpe", "tekken", "gpt-4o")})
    for name, pre in kinds.items():
        tokenizer = byte_level(pre, sentences, special=["<|endoftext|>"])
        if name == "qwen2":
            tokenizer.normalizer = normalizers.NFC()
        model = json.loads(tokenizer.to_str())["model"]
        tokens = sorted(model["vocab"], key=model["vocab"].get)
        types = [3 if token == "<|endoftext|>" else 1 for token in tokens]
        path, writer = start_gguf(folder, name, "gpt2", tokens, types)
        writer.add_tokenizer_pre(name)
        writer.add_token_merges([" ".join(merge) for merge in model["merges"]])
        finish_gguf(writer)
        if name in ("llama-bpe", "tekken"):
            tokenizer.model = models.BPE(model["vocab"], [tuple(m) for m in model["merges"]], ignore_merges=True)
            tokenizer.add_special_tokens(["<|endoftext|>"])
        yield f"byte-level BPE, GGUF ({name})", path, tokenizer, ["<|endoftext|>"]


def write_json(folder, name, content):
    with open(os.path.join(folder, name), "w") as file:
        json.dump(content, file, ensure_ascii=False)


def merges_folder(folder, name, model, config):
    path = os.path.join(folder, name)
    os.makedirs(path, exist_ok=True)
    write_json(path, "vocab.json", model["vocab"])
    with open(os.path.join(path, "merges.txt"), "w") as file:
        file.write("#version: 0.2\n" + "".join(" ".join(merge) + "\n" for merge in model["merges"]))
    if config:
        write_json(path, "tokenizer_config.json", config)
    return path


def vocab_cases(folder, sentences):
    pre = pre_tokenizers.ByteLevel(add_prefix_space=False)
    model = json.loads(byte_level(pre, sentences, special=["<|endoftext|>"]).to_str())["model"]
    merges = [tuple(m) for m in model["merges"]]
    path = merges_folder(folder, "gpt2", model, None)
    yield "vocab.json + merges.txt, GPT-2", path, GPT2Tokenizer(model["vocab"], merges).backend_tokenizer, ["<|endoftext|>"]

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    model = json.loads(byte_level(pre, sentences, special=special).to_str())["model"]
    merges = [tuple(m) for m in model["merges"]]
    for prefix in (False, True):
        config = {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": prefix}
        path = merges_folder(folder, f"roberta{prefix}", model, config)
        mask = AddedToken("<mask>", lstrip=True, special=True, normalized=False)
        peer = RobertaTokenizer(model["vocab"], merges, add_prefix_space=prefix, mask_token=mask)
        yield f"vocab.json + merges.txt, RoBERTa, prefix {prefix}", path, peer.backend_tokenizer, special

    from tokenizers import BertWordPieceTokenizer
    for lower in (True, False):
        tokenizer = BertWordPieceTokenizer(lowercase=lower)
        tokenizer.train_from_iterator(sentences, vocab_size=3000, show_progress=False)
        vocabulary = tokenizer.get_vocab()
        path = os.path.join(folder, f"bert{lower}")
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, "vocab.txt"), "w") as file:
            file.write("".join(token + "\n" for token in sorted(vocabulary, key=vocabulary.get)))
        if not lower:
            write_json(path, "tokenizer_config.json", {"do_lower_case": False, "tokenize_chinese_chars": False})
        peer = BertTokenizer(vocabulary, do_lower_case=lower, tokenize_chinese_chars=lower)
        name = "uncased" if lower else "cased"
        yield f"vocab.txt, BERT {name}", path, peer.backend_tokenizer, ["[CLS]", "[MASK]"]


def compare(program, name, path, peer, lines):
    theirs = [encoding.ids for encoding in peer.encode_batch(lines, add_special_tokens=False)]
    ours = [answer["ids"] for answer in ask(program, path, ["--json"], lines)]
    same = count_same(name, "ids", lines, ours, theirs, 2)
    print(f"{name:48} {same} of {len(lines)} lines", flush=True)
    return same == len(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=str(ROOT / "build/softprompt"))
    parser.add_argument("--lines", type=int, default=12000)
    args = parser.parse_args()
    rng = random.Random(2)
    sentences = [line.strip() for line in real_lines()][:20000]
    sentences += ["".join(chr(rng.randrange(*rng.choice(BLOCKS))) for _ in range(20)) for _ in range(300)]
    fine = True
    with tempfile.TemporaryDirectory() as folder:
        for cases in (unigram_cases, bpe_cases, gguf_bpe_cases, vocab_cases):
            for name, path, peer, special in cases(folder, sentences):
                lines = list(make_lines(args.lines, special, random.Random(name)))
                fine &= compare(args.program, name, path, peer, lines)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
