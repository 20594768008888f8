#!/usr/bin/env python3
"""Golden vectors of a tiny random BERT and a tiny random RoBERTa, on the batch of make_gpt2.py.

    /tmp/venv/bin/python tests/golden/make_bert.py

Computed in float64 from float32 weights and stored as float32. Metadata key "versions" of each file
names the packages. Each sequence runs alone; its first token is taken for [CLS], the one before its
last for [MASK].

bert-tiny       BertForPreTraining: 2 layers, d 24, 3 heads, inner size 32, vocabulary 97, 40
                positions, 2 token types, exact GELU, pooler, masked-LM head
roberta-tiny    RobertaForMaskedLM: the same with pad_token_id 0, so that positions begin in row 1 of
                41, and 1 token type
    config.json, model.safetensors  weights N(0, 0.2), biases N(0, 0.1), norms 1 + N(0, 0.1)
    class.safetensors               labels [3] of the sequences; words [5] and label_of [5] of the
                                    verbalizer; weight [3, 24], bias [3] of a linear map on the
                                    pooler's output (BERT), or with dense_weight [24, 24] and
                                    dense_bias [24] transformers' RobertaClassificationHead
    finetune.safetensors            logits [26, 97] of the masked-LM head; gradient.NAME of every
                                    parameter, gradient.score.NAME of the linear head
    prefix-mlp, prefix-embedding, prompt, p-tuning-lstm, p-tuning-mlp, lora, adalora .safetensors, from PEFT;
    adapter, adaption-prompt .safetensors, in PyTorch, since PEFT has the first not at all and the
    second not for encoders
        parameter.NAME, gradient.NAME   5 virtual tokens; MLPs of 16, an LSTM of 4 units a direction,
                                        LoRA of rank 3 and alpha 16 on query and value with B not
                                        zero, adapters of width 6, gates 0.4 and -0.7
                                        (AdaLoRA: rank 4, alpha 8, without its penalty)
        virtual                         of the soft prompts: what PEFT's encoder gives
    and of all but class:
        hidden [26, 24]                 the last hidden states of the real tokens
        linear [3, 3], verbalizer [3, 3]  logits of the labels
        loss [1]                        the sum of both cross-entropies, whose gradients these are
"""
import warnings
from pathlib import Path

import peft
import torch
import transformers
from peft import (AdaLoraConfig, LoraConfig, PrefixTuningConfig, PromptEncoderConfig, PromptTuningConfig,
                  get_peft_model)
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import (BertConfig, BertForPreTraining, RobertaConfig, RobertaForMaskedLM)
from transformers.models.roberta.modeling_roberta import RobertaClassificationHead

HERE = Path(__file__).parent
VERSIONS = (f"torch {torch.__version__}, transformers {transformers.__version__}, "
            f"peft {peft.__version__}")
VIRTUAL, LAYERS, WIDTH, HEADS = 5, 2, 24, 3
LABELS = torch.tensor([2, 0, 1])
WORDS, LABEL_OF = torch.tensor([5, 9, 40, 17, 90]), torch.tensor([0, 0, 1, 2, 2])
COMMON = dict(hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
              intermediate_size=32, vocab_size=97, pad_token_id=0)
MODELS = {
    "bert-tiny": (BertForPreTraining, BertConfig(max_position_embeddings=40, **COMMON)),
    "roberta-tiny": (RobertaForMaskedLM,
                     RobertaConfig(max_position_embeddings=41, type_vocab_size=1, bos_token_id=2,
                                   eos_token_id=3, layer_norm_eps=1e-5, num_labels=3,
                                   classifier_dropout=0.0, **COMMON)),
}


def save(folder, name, tensors):
    tensors = {k: v.detach().float().contiguous().clone() for k, v in tensors.items()}
    save_file(tensors, HERE / folder / f"{name}.safetensors", metadata={"versions": VERSIONS})


def fill(model):
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.normal_(0, 0.2 if p.dim() == 2 else 0.1)
            if "norm.weight" in name.lower():
                p += 1


def make_model(folder, kind, config):
    torch.manual_seed(1)
    model = kind(config).eval()
    fill(model)
    model.save_pretrained(HERE / folder)
    (HERE / folder / "generation_config.json").unlink(missing_ok=True)


def load_sequences():
    batch = load_file(HERE / "gpt2-tiny" / "batch.safetensors")
    offsets = batch["offsets"].long().tolist()
    tokens = batch["tokens"].long()
    return [tokens[a:b] for a, b in zip(offsets, offsets[1:])]


class Encoder:
    """A model with the two class heads; `body` may be wrapped by PEFT."""

    def __init__(self, folder, kind, config):
        self.folder = folder
        self.model = kind.from_pretrained(HERE / folder, dtype=torch.float32).double().eval()
        self.is_bert = folder.startswith("bert")
        self.body = self.model.bert if self.is_bert else self.model.roberta
        torch.manual_seed(7)
        if self.is_bert:
            self.head = nn.Linear(WIDTH, len(LABELS))
        else:
            self.head = RobertaClassificationHead(config)
        self.head = self.head.double().eval()
        with torch.no_grad():
            for p in self.head.parameters():
                p.copy_(p.normal_(0, 0.3).float().double())

    def prefix(self):
        return "bert." if self.is_bert else "roberta."

    def linear(self, cls):
        """[CLS] rows -> logits."""
        if self.is_bert:
            return self.head(self.model.bert.pooler(cls[:, None]))
        return self.head(cls[:, None])

    def predict(self, rows):
        return self.model.cls.predictions(rows) if self.is_bert else self.model.lm_head(rows)

    def run(self, sequences):
        """Hidden states of the real tokens, logits of both heads, loss."""
        hidden = [self.body(input_ids=s[None]).last_hidden_state[0, -len(s):] for s in sequences]
        words = self.predict(torch.stack([h[-2] for h in hidden]))[:, WORDS]
        verbalizer = torch.stack([words[:, LABEL_OF == k].logsumexp(1)
                                  for k in range(len(LABELS))], 1)
        linear = self.linear(torch.stack([h[0] for h in hidden]))
        entropy = nn.functional.cross_entropy
        loss = entropy(linear, LABELS) + entropy(verbalizer, LABELS)
        loss.backward()
        return {"hidden": torch.cat(hidden), "linear": linear, "verbalizer": verbalizer,
                "loss": loss[None]}

    def freeze(self):
        for p in self.model.parameters():
            p.requires_grad = False


def make_class(e):
    out = {"labels": LABELS, "words": WORDS, "label_of": LABEL_OF}
    last = e.head if e.is_bert else e.head.out_proj
    out |= {"weight": last.weight, "bias": last.bias}
    if not e.is_bert:
        out |= {"dense_weight": e.head.dense.weight, "dense_bias": e.head.dense.bias}
    save(e.folder, "class", out)


def make_finetune(e, sequences):
    out = e.run(sequences)
    out["logits"] = e.predict(out["hidden"])
    for n, p in e.model.named_parameters():
        if p.grad is not None:
            out[f"gradient.{n}"] = p.grad
    for n, p in e.head.named_parameters():
        out[f"gradient.score.{n.replace('out_proj.', '')}"] = p.grad
    save(e.folder, "finetune", out)
    print(f"{e.folder}: loss {out['loss'].item():.4f}")


def record(e, name, sequences, parameters, more=None):
    """parameters: of the method, by their names."""
    out = e.run(sequences) | (more or {})
    for n, p in parameters.items():
        out[f"parameter.{n}"], out[f"gradient.{n}"] = p, p.grad
    save(e.folder, name, out)
    print(f"{e.folder} {name}: loss {out['loss'].item():.4f}", sorted(parameters))


def make_prompts(new, sequences):
    common = {"task_type": "FEATURE_EXTRACTION", "num_virtual_tokens": VIRTUAL}
    methods = {
        "prefix-mlp": PrefixTuningConfig(prefix_projection=True, encoder_hidden_size=16, **common),
        "prefix-embedding": PrefixTuningConfig(prefix_projection=False, **common),
        "prompt": PromptTuningConfig(prompt_tuning_init="RANDOM", **common),
        "p-tuning-lstm": PromptEncoderConfig(encoder_reparameterization_type="LSTM",
                                             encoder_hidden_size=4, encoder_dropout=0.0, **common),
        "p-tuning-mlp": PromptEncoderConfig(encoder_reparameterization_type="MLP",
                                            encoder_hidden_size=16, **common),
    }
    for name, config in methods.items():
        e = new()
        e.freeze()
        torch.manual_seed(3)
        e.body = get_peft_model(e.body, config).eval()
        encoder = e.body.prompt_encoder["default"].float().double()
        virtual = encoder(torch.arange(VIRTUAL)[None])[0]
        record(e, name, sequences, dict(encoder.named_parameters()), {"virtual": virtual})


LOW_RANK = {
    "lora": LoraConfig(task_type="FEATURE_EXTRACTION", r=3, lora_alpha=16),
    "adalora": AdaLoraConfig(task_type="FEATURE_EXTRACTION", init_r=4, target_r=2, lora_alpha=8,
                             total_step=10, target_modules=["query", "value"]),
}


def make_low_rank(e, name, sequences):
    e.freeze()
    e.body = get_peft_model(e.body, LOW_RANK[name]).double().eval()
    torch.manual_seed(5)
    parameters = {}
    with torch.no_grad():
        for n, p in e.body.named_parameters():
            if "ranknum" in n:  # a constant; get_peft_model lets it train by mistake
                p.requires_grad = False
            if p.requires_grad:
                p.copy_((torch.randn_like(p) * 0.1).float().double())
                n = n.replace("base_model.model.", e.prefix()).replace(".default", "")
                parameters[n] = p
    record(e, name, sequences, parameters)


def new_parameter(parameters, name, *shape, scale=1.0):
    parameters[name] = nn.Parameter((torch.randn(shape) * scale).float().double())
    return parameters[name]


def make_adapter(e, sequences):
    e.freeze()
    torch.manual_seed(8)
    parameters, size = {}, 6

    def attach(module, name):
        down = [new_parameter(parameters, f"{name}.adapter.down.{k}", *s, scale=0.2)
                for k, s in (("weight", (size, WIDTH)), ("bias", (size,)))]
        up = [new_parameter(parameters, f"{name}.adapter.up.{k}", *s, scale=0.2)
              for k, s in (("weight", (WIDTH, size)), ("bias", (WIDTH,)))]

        def hook(_module, _args, h):
            inner = nn.functional.gelu(nn.functional.linear(h, *down), approximate="tanh")
            return h + nn.functional.linear(inner, *up)

        module.register_forward_hook(hook)

    for i, layer in enumerate(e.body.encoder.layer):
        start = f"{e.prefix()}encoder.layer.{i}"
        attach(layer.attention.output.dense, f"{start}.attention.output.dense")
        attach(layer.output.dense, f"{start}.output.dense")
    record(e, "adapter", sequences, parameters)


def make_adaption_prompt(e, sequences):
    e.freeze()
    torch.manual_seed(6)
    parameters, size = {}, WIDTH // HEADS

    def attach(attention, prompt, gate):
        plain = attention.forward

        def heads(x):
            return x.view(-1, HEADS, size).transpose(0, 1)

        def forward(hidden_states, *args, **more):
            out, weights = plain(hidden_states, *args, **more)
            q = heads(attention.query(hidden_states[0]))
            k, v = heads(attention.key(prompt)), heads(attention.value(prompt))
            extra = (q @ k.transpose(1, 2) / size ** 0.5).softmax(-1) @ v
            return out + gate * extra.transpose(0, 1).reshape(out.shape), weights

        attention.forward = forward

    for i, layer in enumerate(e.body.encoder.layer):
        prompt = new_parameter(parameters, f"{i}.adaption_prompt", VIRTUAL, WIDTH)
        gate = new_parameter(parameters, f"{i}.adaption_gate", 1)
        with torch.no_grad():
            gate.copy_(torch.tensor([(0.4, -0.7)[i]]).double())
        attach(layer.attention.self, prompt, gate)
    record(e, "adaption-prompt", sequences, parameters)


def main():
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    sequences = load_sequences()
    for folder, (kind, config) in MODELS.items():
        (HERE / folder).mkdir(exist_ok=True)
        make_model(folder, kind, config)

        def new():
            return Encoder(folder, kind, config)

        make_class(new())
        make_finetune(new(), sequences)
        make_prompts(new, sequences)
        for name in LOW_RANK:
            make_low_rank(new(), name, sequences)
        make_adapter(new(), sequences)
        make_adaption_prompt(new(), sequences)
    print(VERSIONS)


if __name__ == "__main__":
    main()
