"""Adapters to and from PEFT: equal log-probabilities on small random models.

out   trained a few steps by softprompt -> `adapter export` -> PeftModel.from_pretrained
in    made by PEFT with random weights -> save_pretrained -> `adapter import`
back  what was imported -> `adapter export` -> PeftModel.from_pretrained

For each the largest difference of the log-probabilities of all tokens of some lines, or of the
labels' probabilities where there is a class head. `moves` is how far the adapter takes the
log-probabilities from the bare model's: an adapter without an effect would prove nothing.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import warnings
from pathlib import Path

import peft
import torch
import transformers
from peft import (AdaLoraConfig, AdaptionPromptConfig, LoraConfig, PeftModel, PrefixTuningConfig,
                  PromptEncoderConfig, PromptTuningConfig, get_peft_model)
from tokenizers.processors import TemplateProcessing
from tokenizers import BertWordPieceTokenizer, Tokenizer

HERE = Path(__file__).resolve().parent
TOKENIZER = HERE.parent / "golden" / "tokenizer" / "gpt2.json"
TOLERANCE, LEAST_MOVE = 2e-4, 1e-2
LABELS = ["animal", "food", "tool"]
LINES = ["a small wild cat", "The bread is 12 days old!", "hammers and nails", "x", "so it goes: on"]
SEPARATOR = "\n"
ENCODERS = ("bert", "roberta")

# What softprompt trains: entry -> settings.
TRAINED = {
    "prefix (MLP)": {"method": "prefix", "length": 4, "hidden": 24, "lr": 0.05},
    "prefix": {"method": "prefix", "length": 4, "reparametrization": "none", "lr": 0.3},
    "p-tuning-v2": {"length": 3, "lr": 0.3},
    "prompt": {"length": 5, "init": "random", "lr": 0.3},
    "p-tuning": {"length": 5, "template": "P x", "hidden": 16, "lr": 0.05},
    "lora": {"rank": 3, "alpha": 7, "lr": 0.1},
    "lora (all maps)": {"method": "lora", "rank": 2, "targets": '"*"', "lr": 0.05},
    "adalora": {"init_r": 4, "target_r": 2, "lr": 0.3},
    "adaption-prompt": {"length": 4, "layers": 1, "lr": 0.3},
}
# What PEFT does not have, or computes in another way (docs/formats.md).
NO_GPT2 = NO_HEAD = ("adaption-prompt",)
NO_ENCODER = ("adaption-prompt", "prompt", "p-tuning")


def left_out(model_type, task):
    """The methods of TRAINED that cannot be exported."""
    return set(NO_GPT2 * (model_type == "gpt2") + NO_HEAD * (task == "SEQ_CLS") +
               NO_ENCODER * (model_type in ENCODERS))


def patterns(model_type):
    """Names with their own rank and alpha: one as a plain end, one as an expression."""
    first = {"gpt2": "h.0.attn.c_attn", "llama": "layers.0.self_attn.q_proj"}
    second = {"gpt2": r".*h\.1\..*c_fc", "llama": r".*layers\.1\..*v_proj"}
    first = first.get(model_type, "layer.0.attention.self.query")
    second = second.get(model_type, r".*layer\.1\..*value")
    return {"rank_pattern": {first: 4, second: 1}, "alpha_pattern": {second: 3}}


def made_by_peft(model_type, task):
    """Configurations of adapters that PEFT makes."""
    some = {"gpt2": ["c_attn", "c_fc"], "llama": ["q_proj", "v_proj", "down_proj"]}
    some = some.get(model_type, ["query", "value", "attention.output.dense"])
    regex = {"gpt2": r".*\.1\.attn\.c_(attn|proj)", "llama": r".*\.1\.self_attn\.[ko]_proj"}
    regex = regex.get(model_type, r".*\.1\.attention\.self\.(key|value)")
    common = {"task_type": task}
    made = {
        "prefix (MLP)": PrefixTuningConfig(num_virtual_tokens=4, prefix_projection=True,
                                           encoder_hidden_size=24, **common),
        "prefix": PrefixTuningConfig(num_virtual_tokens=4, **common),
        "prompt": PromptTuningConfig(num_virtual_tokens=5, **common),
        "p-tuning (LSTM)": PromptEncoderConfig(
            num_virtual_tokens=5, encoder_hidden_size=16, encoder_num_layers=2,
            encoder_reparameterization_type="LSTM", **common),
        "p-tuning (MLP)": PromptEncoderConfig(num_virtual_tokens=5, encoder_hidden_size=16, **common),
        "lora": LoraConfig(r=3, lora_alpha=5, target_modules=some, **common),
        "lora (patterns)": LoraConfig(r=2, lora_alpha=8, target_modules=some, **patterns(model_type),
                                      **common),
        "lora (regex, rslora)": LoraConfig(r=3, target_modules=regex, use_rslora=True,
                                           **common),
        "lora (all-linear)": LoraConfig(r=2, target_modules="all-linear", **common),
        "adalora": AdaLoraConfig(init_r=4, target_r=2, lora_alpha=6, total_step=10,
                                 target_modules=some, **common),
        "adalora (ranks fallen)": AdaLoraConfig(init_r=4, target_r=2, lora_alpha=6, total_step=10,
                                                target_modules=some, **common),
        "adaption-prompt": AdaptionPromptConfig(adapter_len=4, adapter_layers=1, **common),
    }
    if task == "SEQ_CLS" or model_type == "gpt2":
        made.pop("adaption-prompt")
    if model_type in ENCODERS:  # would adapt the pooler, too
        made.pop("lora (all-linear)")
    return made


# ---- models and data ----

def make_models(work):
    """Random models with a real tokenizer: model_type -> folder. Weights large enough to matter."""
    torch.manual_seed(1)
    vocab = Tokenizer.from_file(str(TOKENIZER)).get_vocab_size()
    common = {"vocab_size": vocab, "bos_token_id": 0, "eos_token_id": 0, "initializer_range": 0.2}
    write_word_pieces(work / "word-pieces.json")
    encoder = {"vocab_size": Tokenizer.from_file(str(work / "word-pieces.json")).get_vocab_size(),
               "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
               "intermediate_size": 48, "initializer_range": 0.2}
    configs = {
        "gpt2": transformers.GPT2Config(n_positions=64, n_embd=32, n_layer=2, n_head=4, **common),
        "llama": transformers.LlamaConfig(
            hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=64, **common),
        "bert": transformers.BertConfig(max_position_embeddings=64, **encoder),
        "roberta": transformers.RobertaConfig(max_position_embeddings=66, **encoder),
    }
    folders = {}
    for name, config in configs.items():
        folders[name] = str(work / f"random-{name}")
        if name in ENCODERS:  # with the pooler that BERT's class head stands on
            model = transformers.AutoModel.from_config(config)
        else:
            model = transformers.AutoModelForCausalLM.from_config(config)
        model.save_pretrained(folders[name])
        tokenizer = work / "word-pieces.json" if name in ENCODERS else TOKENIZER
        (Path(folders[name]) / "tokenizer.json").write_bytes(tokenizer.read_bytes())
    return folders


def write_word_pieces(path):
    """A small vocabulary of an encoder, learnt from the lines of the comparison."""
    tokenizer = BertWordPieceTokenizer()
    tokenizer.train_from_iterator(LINES * 5, vocab_size=200, min_frequency=1,
                                  special_tokens=["[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]"])
    ends = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer._tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends)
    tokenizer.save(str(path))


def write_data(work):
    """A set for generation and one for classification, with their cards."""
    numbers = random.Random(3)
    words = "cat dog bread cheese hammer nail old new big small".split()
    texts = [" ".join(numbers.choices(words, k=4)) for _ in range(24)]
    with open(work / "texts.jsonl", "w") as texts_file, open(work / "classes.jsonl", "w") as classes:
        for i, text in enumerate(texts):
            print(json.dumps({"input": text, "target": text[::-1]}), file=texts_file)
            print(json.dumps({"text": text, "label": LABELS[i % 3]}), file=classes)
    for name, task in (("texts", "generation"), ("classes", "classification")):
        (work / f"{name}.yaml").write_text(
            f"name: {name}\nreader: jsonl\ntask: {task}\ntemplate: {{separator: \"\\n\"}}\n"
            f"splits: {{train: {name}.jsonl, dev: {name}.jsonl, test: {name}.jsonl}}\n")


# ---- softprompt ----

class Program:
    def __init__(self, path, work):
        self.path, self.work = os.path.abspath(path), work

    def run(self, *arguments, text=None):
        done = subprocess.run([self.path, *map(str, arguments)], input=text, capture_output=True,
                              text=True, cwd=self.work)
        if done.returncode:
            sys.exit(f"softprompt {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    def train(self, name, model, task):
        """Runs all methods for a few steps: entry -> run file."""
        output = "text" if task == "CAUSAL_LM" else "linear"
        data = "texts" if task == "CAUSAL_LM" else "classes"
        chosen = {k: v for k, v in TRAINED.items() if k not in left_out(name, task)}
        entries = {f"e{i}": (k, {"method": k} | v) for i, (k, v) in enumerate(chosen.items())}
        lines = [f"name: {name}-{output}", "base:", f"  model: {model}", f"  dataset: {data}.yaml",
                 f"  output: {output}", "  train: {steps: 8, batch: 4}", "  decode: {max_tokens: 2}",
                 "  dev: {limit: 4}", "  test: {limit: 2}", "methods:"]
        for entry, (_, settings) in entries.items():
            inner = ", ".join(f"{k}: {v}" for k, v in settings.items())
            lines.append(f"  {entry}: {{{inner}}}")
        spec = self.work / f"{name}-{output}.yaml"
        spec.write_text("\n".join(lines) + "\n")
        files = {}
        for line in self.run("run", spec, "--json").splitlines():
            event = json.loads(line)
            if event["event"] == "finished":
                files[entries[event["entry"]][0]] = self.work / event["file"]
        return files

    def logprobs(self, model, adapter):
        """Of each line: its ids and the log-probabilities of those that have one."""
        steered = ("--adapter", adapter) if adapter else ()
        out = self.run("logprobs", "--model", model, *steered, text="\n".join(LINES))
        return [(line["ids"], line["logprobs"]) for line in map(json.loads, out.splitlines())]

    def labels(self, model, adapter):
        out = self.run("generate", "--json", "--model", model, "--adapter", adapter,
                       text="\n".join(LINES))
        return [list(json.loads(line)["probabilities"].values()) for line in out.splitlines()]


# ---- PEFT ----

def open_base(folder, task, bias):
    if task == "CAUSAL_LM":
        return transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    base = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=len(LABELS))
    if hasattr(base, "score"):  # a decoder's head asks; of RoBERTa positions depend on it
        base.config.pad_token_id = 0
    if bias and hasattr(base, "score"):
        base.score = torch.nn.Linear(base.config.hidden_size, len(LABELS))
    return base.eval()


def encode(folder, text):
    return Tokenizer.from_file(f"{folder}/tokenizer.json").encode(text).ids


@torch.no_grad()
def compare_tokens(model, folder, ours):
    """The largest difference to softprompt's log-probabilities."""
    worst = 0.0
    for text, (ids, values) in zip(LINES, ours):
        assert ids == encode(folder, text), text
        logits = torch.log_softmax(model(input_ids=torch.tensor([ids])).logits[0].float(), -1)
        offset = len(logits) - len(ids)  # PEFT's virtual rows have logits, too
        for i, value in enumerate(values):
            if value is not None:
                worst = max(worst, abs(logits[offset + i - 1, ids[i]].item() - value))
    return worst


@torch.no_grad()
def compare_labels(model, folder, ours):
    worst = 0.0
    for text, shares in zip(LINES, ours):
        logits = model(input_ids=torch.tensor([encode(folder, text + SEPARATOR)])).logits[0].float()
        theirs = torch.softmax(logits, -1).tolist()
        worst = max([worst] + [abs(a - b) for a, b in zip(shares, theirs)])
    return worst


def compare(program, model, folder, adapter, task):
    model.eval()
    if task == "CAUSAL_LM":
        return compare_tokens(model, folder, program.logprobs(folder, adapter))
    return compare_labels(model, folder, program.labels(folder, adapter))


def moved(program, folder, adapter):
    pairs = zip(program.logprobs(folder, adapter), program.logprobs(folder, None))
    return max(abs(a - b) for (_, x), (_, y) in pairs for a, b in zip(x[1:], y[1:]))


def shake(model):
    """Random values in all that PEFT trains, of a size that changes what the model says."""
    torch.manual_seed(2)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad and "ranknum" not in name:
                p.copy_(torch.randn_like(p) * 0.3)


def drop_ranks(model):
    """What AdaLoRA's allocation does at its end: 1 or 3 of the 4 singular values stay."""
    pattern = {}
    with torch.no_grad():
        for i, (name, p) in enumerate(model.base_model.model.named_parameters()):
            if ".lora_E." in name:
                pattern[name] = [k < 3 - 2 * (i % 2) for k in range(4)]
                p *= torch.tensor(pattern[name])[:, None]
    model.peft_config["default"].rank_pattern = pattern


def exported(program, run, folder, target, task):
    """PEFT's differences to a run that was exported."""
    program.run("adapter", "export", run, target, "--model", folder)
    model = PeftModel.from_pretrained(open_base(folder, task, bias=True), target)
    return compare(program, model, folder, run, task)


def check_model(program, name, folder, task, report):
    for method, run in program.train(name, folder, task).items():
        target = program.work / f"out-{name}-{task}-{method}".replace(" ", "_")
        report(name, method, task, "out", exported(program, run, folder, target, task))
        if name not in ENCODERS:
            report(name, method, task, "moves", moved(program, folder, run))
    for method, config in made_by_peft(name, task).items():
        stem = f"{name}-{task}-{method}".replace(" ", "_")
        model = get_peft_model(open_base(folder, task, bias=False), config)
        shake(model)
        if method == "adalora (ranks fallen)":
            drop_ranks(model)
        model.save_pretrained(program.work / f"in-{stem}")
        run = program.work / f"in-{stem}.h5"
        program.run("adapter", "import", program.work / f"in-{stem}", run, "--model", folder)
        report(name, method, task, "in", compare(program, model, folder, run, task))
        if name not in ENCODERS:
            report(name, method, task, "moves", moved(program, folder, run))
        back = exported(program, run, folder, program.work / f"back-{stem}", task)
        report(name, method, task, "back", back)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--softprompt", required=True, help="the program")
    parser.add_argument("--work", default="build/peers", help="folder to work in; emptied")
    parser.add_argument("--models", default="gpt2,llama,bert,roberta", help="some of them")
    return parser.parse_args()


def main():
    options = arguments()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    work = Path(options.work).resolve()
    if work.exists():
        subprocess.run(["rm", "-rf", str(work)], check=True)
    work.mkdir(parents=True)
    program = Program(options.softprompt, work)
    write_data(work)
    rows, failed = {}, []

    def report(model, method, task, direction, difference):
        found = rows.setdefault((model, task, method), {})
        found[direction] = min(difference, found.get(direction, difference))
        if not (difference >= LEAST_MOVE if direction == "moves" else difference <= TOLERANCE):
            failed.append(f"{model} {task} {method} {direction}: {difference:.1e}")

    for name, folder in make_models(work).items():
        if name not in options.models.split(","):
            continue
        for task in ("CAUSAL_LM", "SEQ_CLS")[name in ENCODERS:]:
            check_model(program, name, folder, task, report)
    print(f"peft {peft.__version__}, transformers {transformers.__version__}, "
          f"torch {torch.__version__}: largest difference\n")
    print("| model | task | method | out | in | back | moves |\n|---|---|---|---|---|---|---|")
    for (model, task, method), found in rows.items():
        cells = [f"{found[d]:.1e}" if d in found else "-" for d in ("out", "in", "back", "moves")]
        print(f"| {model} | {task} | {method} | {' | '.join(cells)} |")
    if failed:
        sys.exit(f"peers: above {TOLERANCE}, or no effect:\n" + "\n".join(failed))


main()
