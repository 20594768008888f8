#!/usr/bin/env python3
"""Golden vectors of a tiny random GPT-2 from PyTorch, transformers and PEFT.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch transformers peft safetensors
    /tmp/venv/bin/python tests/golden/make_gpt2.py

Writes to tests/golden/gpt2-tiny. Everything is computed in float64 from float32 weights and stored
as float32, token ids and counts too. Metadata key "versions" of each file names the packages.

config.json, model.safetensors
    GPT2LMHeadModel: 2 layers, 4 heads, d 32, vocabulary 97, 64 positions, gelu_new, tied head.
    Weights N(0, 0.2), biases N(0, 0.1), layer-norm gains 1 + N(0, 0.1); row 0 of wte (the end of
    text) twice as large. Projections are [in, out] as in all GPT-2 checkpoints.

batch.safetensors: a packed batch of three sequences
    tokens   [26]     ids, one sequence after the other
    offsets  [4]      0, 5, 14, 26: where sequences start
    targets  [26]     the id each row must predict (its next token), -1 where there is no loss; the
                      last 2, 4 and 5 tokens of the sequences are targets (11 in all)

finetune.safetensors
    logits [26, 97], loss [1]: sum of the token losses / 11 (not a mean of the sequences' means)
    gradient.NAME for every parameter of model.safetensors (wte: embedding and head together)

prefix-mlp, prefix-embedding, prompt, p-tuning-lstm, p-tuning-mlp .safetensors
    parameter.NAME, gradient.NAME   each trained tensor of PEFT's prompt encoder, PEFT's names
    logits [26, 97], loss [1]       of the real tokens, each sequence run alone; 5 virtual tokens
    virtual                         what the encoder gives: [5, 128] for prefix-*, else [5, 32]
  Real tokens have positions 5, 6, ... in all of them.
    prefix-mlp        embedding [5, 32] -> Linear 32x16 -> Tanh -> Linear 16x128
    prefix-embedding  embedding [5, 128]
        columns of [5, 128] are [layer][key, value][head][8]
    prompt            embedding [5, 32], put before the token embeddings (positions 0 to 4)
    p-tuning-lstm     embedding [5, 32] -> bidirectional LSTM of 2 layers, 4 units a direction ->
                      Linear 8x8 -> ReLU -> Linear 8x32; the result goes where prompt's does
    p-tuning-mlp      embedding [5, 32] -> Linear 32x16 -> ReLU -> Linear 16x16 -> ReLU -> Linear
                      16x32 (three layers, one more than in P-tuning's paper)
        LSTM tensors as in PyTorch: weight_ih_l0 [4 * 4, in], weight_hh_l0 [4 * 4, 4], two biases;
        gates in the order input, forget, cell, output; "_reverse" is the backward direction;
        layer 1 reads [forward, backward]. PEFT puts all virtual tokens first: no template.
        Linear weights are [out, in].

infix.safetensors: P [5, 128] as in prefix-embedding, seen only by the last input token of each
sequence (the one that predicts its first target) and what follows; positions of the tokens before
it from 0, of it and what follows shifted by 5
    parameter.embedding.weight, gradient.embedding.weight, logits [26, 97], loss [1]

adaption-prompt.safetensors: LLaMA-Adapter, both layers, 5 rows each, gates 0.4 and -0.7
    parameter.I.adaption_prompt [5, 32], parameter.I.adaption_gate [1], their gradients; logits, loss
  The gated sum is made before the output projection c_proj, as in the paper and in PEFT for LLaMA.
  PEFT for GPT-2 adds it after c_proj; with the identity for c_proj both are the same, which is
  checked here.

optimizers.safetensors
    matrix.parameter [4, 6], vector.parameter [6], and .gradient.1 to .3 of each
    adamw.matrix.N           after step N: AdamW, lr 0.01, betas 0.9 and 0.999, eps 1e-8, decay 0.01
    adafactor.matrix.N       transformers.Adafactor: lr 0.3, no relative step, no parameter scale,
    adafactor.vector.N       no first moment, decay rate 0.8, eps 1e-30, clip threshold 1.0, weight
                             decay 1e-5 times lr before the update. The matrix is factored
    adafactor.unfactored.N   the matrix without factoring, as T5X does below 128 rows or columns

schedules.safetensors: factors of the learning rate at steps 0 to 50, warm-up 10, end 50
    linear [51], cosine [51], constant [51]

generation.safetensors: three prompts, end of text 0, at most 10 new tokens; new tokens only, with
the end of text where it came
    prompt.P                          P = 0, 1, 2
    greedy.P
    beam.L.E.P, beam.L.E.P.score      3 beams; L = 1.0 or 0.6 (length penalty); E = "early" or
                                      "late" (early_stopping True or False). The score is the sum
                                      of log-probabilities / (new tokens, end included)^L
  Weights shaken by 1e-4 give the same tokens: there are no near-ties.
  Beam search is transformers': each step takes the 6 best continuations of the 3 running beams;
  those among the best 3 that end are finished (at the limit, all of them are), the best 3 finished
  ones are kept by score, and the best 3 that do not end run on. It stops when 3 are finished and
  either "early" holds or the best running sum / (new tokens so far)^L is no better than the worst
  finished score.
"""
import warnings
from pathlib import Path

import infix
import peft
import torch
import transformers
from peft import (AdaptionPromptConfig, PrefixTuningConfig, PromptEncoderConfig,
                  PromptTuningConfig, get_peft_model)
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel

FOLDER = Path(__file__).parent / "gpt2-tiny"
VERSIONS = (f"torch {torch.__version__}, transformers {transformers.__version__}, "
            f"peft {peft.__version__}")
LENGTHS, TARGETS, VIRTUAL = [5, 9, 12], [2, 4, 5], 5
END, NEW_TOKENS = 0, 10


def save(name, tensors):
    tensors = {k: v.detach().float().contiguous().clone() for k, v in tensors.items()}
    save_file(tensors, FOLDER / f"{name}.safetensors", metadata={"versions": VERSIONS})


def make_model():
    torch.manual_seed(1)
    config = GPT2Config(n_layer=2, n_embd=32, n_head=4, vocab_size=97, n_positions=64,
                        bos_token_id=END, eos_token_id=END)
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() == 2:
                p.normal_(0, 0.2)
            else:
                p.normal_(0, 0.1)
                if name.endswith("weight"):
                    p += 1
        model.transformer.wte.weight[END] *= 2
    model.save_pretrained(FOLDER)
    return model.double()


def load_model():
    model = GPT2LMHeadModel.from_pretrained(FOLDER, dtype=torch.float32)
    return model.double().eval()


def make_batch():
    torch.manual_seed(2)
    sequences = [torch.randint(1, 97, (n,)) for n in LENGTHS]
    targets = []
    for s, count in zip(sequences, TARGETS):
        t = torch.full_like(s, -1)
        t[-count - 1:-1] = s[-count:]
        targets.append(t)
    offsets = torch.tensor([0] + LENGTHS).cumsum(0)
    targets = torch.cat(targets)
    save("batch", {"tokens": torch.cat(sequences), "offsets": offsets, "targets": targets})
    return sequences, targets


def run(model, sequences, targets):
    """Logits of the real tokens and the batch's loss, each sequence run alone."""
    rows = [model(input_ids=s[None]).logits[0, -len(s):] for s in sequences]
    logits = torch.cat(rows)
    assert len(logits) == sum(LENGTHS)
    loss = torch.nn.functional.cross_entropy(logits, targets, ignore_index=-1)
    return logits, loss


def make_finetune(sequences, targets):
    model = load_model()
    logits, loss = run(model, sequences, targets)
    loss.backward()
    out = {f"gradient.{n}": p.grad for n, p in model.named_parameters()}
    save("finetune", {"logits": logits, "loss": loss[None], **out})


def make_method(name, config, sequences, targets):
    torch.manual_seed(3)
    model = get_peft_model(load_model(), config).eval()
    encoder = model.prompt_encoder["default"].float().double()
    logits, loss = run(model, sequences, targets)
    loss.backward()
    out = {"logits": logits, "loss": loss[None]}
    out["virtual"] = encoder(torch.arange(VIRTUAL)[None])[0]
    for n, p in encoder.named_parameters():
        out[f"parameter.{n}"], out[f"gradient.{n}"] = p, p.grad
    trained = [n for n, p in model.named_parameters() if p.requires_grad]
    assert len(trained) == len(list(encoder.parameters())), trained
    save(name, out)
    print(f"{name}: loss {loss.item():.4f}, {encoder}")


def methods():
    common = {"task_type": "CAUSAL_LM", "num_virtual_tokens": VIRTUAL}
    lstm = {"encoder_reparameterization_type": "LSTM", "encoder_hidden_size": 4,
            "encoder_dropout": 0.0}
    mlp = {"encoder_reparameterization_type": "MLP", "encoder_hidden_size": 16}
    return {
        "prefix-mlp": PrefixTuningConfig(prefix_projection=True, encoder_hidden_size=16, **common),
        "prefix-embedding": PrefixTuningConfig(prefix_projection=False, **common),
        "prompt": PromptTuningConfig(prompt_tuning_init="RANDOM", **common),
        "p-tuning-lstm": PromptEncoderConfig(encoder_num_layers=2, **lstm, **common),
        "p-tuning-mlp": PromptEncoderConfig(**mlp, **common),
    }


def make_infix(sequences, targets):
    torch.manual_seed(5)
    model = GPT2LMHeadModel.from_pretrained(FOLDER, dtype=torch.float32,
                                            attn_implementation="eager").double().eval()
    p = torch.nn.Parameter(torch.randn(VIRTUAL, 128).float().double())
    logits = torch.cat([infix.logits(model, p, s, len(s) - count - 1)
                        for s, count in zip(sequences, TARGETS)])
    alone = torch.cat([model(input_ids=s[None]).logits[0] for s in sequences])
    same = (logits - alone).abs().amax(1) < 1e-12
    first = [n - count - 1 for n, count in zip(LENGTHS, TARGETS)]
    assert same.tolist() == sum([[True] * f + [False] * (n - f) for f, n in zip(first, LENGTHS)], [])
    loss = torch.nn.functional.cross_entropy(logits, targets, ignore_index=-1)
    loss.backward()
    save("infix", {"logits": logits, "loss": loss[None], "parameter.embedding.weight": p,
                   "gradient.embedding.weight": p.grad})


def adapt(block, prompt, gate):
    """LLaMA-Adapter's equation as hooks around one GPT-2 attention."""
    attention, kept = block.attn, {}

    def split(x):
        return x.view(*x.shape[:-1], 4, 8).transpose(-3, -2)

    def keep_query(_module, _inputs, out):
        kept["q"] = split(out[..., :32])

    def add_prompt(_module, inputs):
        _, k, v = attention.c_attn.forward(prompt).split(32, -1)
        p = (kept["q"] @ split(k).transpose(-1, -2) / 8**0.5).softmax(-1)
        return inputs[0] + gate * (p @ split(v)).transpose(-3, -2).flatten(-2)

    attention.c_attn.register_forward_hook(keep_query)
    attention.c_proj.register_forward_pre_hook(add_prompt)


def adapted_model(model, parameters):
    for i, block in enumerate(model.transformer.h):
        adapt(block, parameters[f"{i}.adaption_prompt"], parameters[f"{i}.adaption_gate"])
    return model


def with_identity_projection():
    model = load_model()
    with torch.no_grad():
        for block in model.transformer.h:
            block.attn.c_proj.weight.copy_(torch.eye(32))
            block.attn.c_proj.bias.zero_()
    return model


def check_adaption_with_peft(parameters, sequences, targets):
    config = AdaptionPromptConfig(adapter_len=VIRTUAL, adapter_layers=2, task_type="CAUSAL_LM")
    model = get_peft_model(with_identity_projection(), config).eval()
    with torch.no_grad():
        for n, p in model.named_parameters():
            if "adaption" in n:
                p.copy_(parameters[f"{n.split('.h.')[1][0]}.{n.split('.')[-1]}"])
    theirs, _ = run(model, sequences, targets)
    ours, _ = run(adapted_model(with_identity_projection(), parameters), sequences, targets)
    difference = (theirs - ours).abs().max()
    assert difference < 1e-6, difference  # PEFT takes this softmax in float32


def make_adaption_prompt(sequences, targets):
    torch.manual_seed(6)
    parameters = {}
    for i, gate in enumerate((0.4, -0.7)):
        parameters[f"{i}.adaption_prompt"] = torch.randn(VIRTUAL, 32).double()
        parameters[f"{i}.adaption_gate"] = torch.tensor([gate]).double()
    check_adaption_with_peft(parameters, sequences, targets)
    for p in parameters.values():
        p.requires_grad_()
    model = adapted_model(load_model(), parameters)
    logits, loss = run(model, sequences, targets)
    loss.backward()
    out = {"logits": logits, "loss": loss[None]}
    for n, p in parameters.items():
        out[f"parameter.{n}"], out[f"gradient.{n}"] = p, p.grad
    save("adaption-prompt", out)


def steps(name, start, gradients, make_optimizer):
    """The parameter after each step."""
    p = torch.nn.Parameter(start.double())
    optimizer = make_optimizer([p])
    out = {}
    for step, gradient in enumerate(gradients, 1):
        p.grad = gradient.double()
        optimizer.step()
        out[f"{name}.{step}"] = p.detach().clone()
    return out


def make_optimizers():
    torch.manual_seed(4)
    out = {}
    for name, shape in {"matrix": (4, 6), "vector": (6,)}.items():
        out[f"{name}.parameter"] = torch.randn(shape)
        for step in (1, 2, 3):
            out[f"{name}.gradient.{step}"] = torch.randn(shape) * (0.1, 1.0, 0.3)[step - 1]

    def start(name):
        return out[f"{name}.parameter"], [out[f"{name}.gradient.{s}"] for s in (1, 2, 3)]

    def adamw(p):
        return torch.optim.AdamW(p, lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)

    def adafactor(p):
        return transformers.Adafactor(p, lr=0.3, eps=(1e-30, 1e-3), clip_threshold=1.0,
                                      decay_rate=-0.8, beta1=None, weight_decay=1e-5,
                                      scale_parameter=False, relative_step=False, warmup_init=False)

    matrix, gradients = start("matrix")
    out |= steps("adamw.matrix", matrix, gradients, adamw)
    out |= steps("adafactor.matrix", matrix, gradients, adafactor)
    out |= steps("adafactor.vector", *start("vector"), adafactor)
    flat = [g.flatten() for g in gradients]
    flat = steps("adafactor.unfactored", matrix.flatten(), flat, adafactor)
    out |= {k: v.view(4, 6) for k, v in flat.items()}
    save("optimizers", out)


def make_schedules():
    made = {
        "linear": lambda o: transformers.get_linear_schedule_with_warmup(o, 10, 50),
        "cosine": lambda o: transformers.get_cosine_schedule_with_warmup(o, 10, 50),
        "constant": lambda o: transformers.get_constant_schedule_with_warmup(o, 10),
    }
    out = {}
    for name, make in made.items():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        schedule = make(optimizer)
        factors = []
        for _ in range(51):
            factors.append(schedule.get_last_lr()[0])
            optimizer.step()
            schedule.step()
        out[name] = torch.tensor(factors, dtype=torch.float64)
    save("schedules", out)


def generate(model, prompt):
    """Everything generated from one prompt: name -> new tokens or score."""
    common = {"max_new_tokens": NEW_TOKENS, "do_sample": False, "eos_token_id": END,
              "pad_token_id": END, "return_dict_in_generate": True, "output_scores": True}
    settings = {"greedy": {}}
    for penalty in (1.0, 0.6):
        for early in (True, False):
            settings[f"beam.{penalty}.{'early' if early else 'late'}"] = {
                "num_beams": 3, "length_penalty": penalty, "early_stopping": early}
    out = {}
    for name, setting in settings.items():
        with torch.no_grad():
            got = model.generate(prompt[None], attention_mask=torch.ones_like(prompt[None]),
                                 **common, **setting)
        new = got.sequences[0, len(prompt):].tolist()
        if END in new:
            new = new[:new.index(END) + 1]
        out[name] = torch.tensor(new)
        if "num_beams" in setting:
            out[f"{name}.score"] = got.sequences_scores
            score = got.sequences_scores[0]
            check_score(model, prompt, out[name], setting["length_penalty"], score)
    return out


def check_score(model, prompt, new, penalty, score):
    """The documented meaning of the score."""
    with torch.no_grad():
        logits = model(torch.cat([prompt, new])[None]).logits[0, len(prompt) - 1:-1]
    logp = logits.log_softmax(-1).gather(1, new[:, None]).sum()
    assert abs(logp / len(new) ** penalty - score) < 1e-5, (logp / len(new) ** penalty, score)


def is_stable(prompt, expected):
    """Whether slightly shaken weights generate the same tokens."""
    for seed in range(3):
        torch.manual_seed(seed)
        model = load_model()
        with torch.no_grad():
            for p in model.parameters():
                p.add_(torch.randn_like(p) * 1e-4)
        again = generate(model, prompt)
        if any(not torch.equal(again[k], v) for k, v in expected.items() if "score" not in k):
            return False
    return True


# What each of the three prompts must show, so that the vectors test something.
def greedy_runs_to_the_limit(out):
    return END not in out["greedy"] and len(set(out["greedy"].tolist())) > 4


def beam_ends_early_and_differs_from_greedy(out):
    beam = out["beam.1.0.late"]
    return 2 < len(beam) < NEW_TOKENS and beam[-1] == END and not torch.equal(beam, out["greedy"])


def penalty_and_stopping_matter(out):
    beams = {tuple(v.tolist()) for k, v in out.items() if k.startswith("beam") and "score" not in k}
    return (not torch.equal(out["beam.1.0.early"], out["beam.1.0.late"])
            and not torch.equal(out["beam.1.0.late"], out["beam.0.6.late"])
            and all(len(b) > 1 for b in beams))


def make_generation():
    model, out, seed = load_model(), {}, 0
    for p, wanted in enumerate([greedy_runs_to_the_limit, beam_ends_early_and_differs_from_greedy,
                                penalty_and_stopping_matter]):
        while True:
            seed += 1
            torch.manual_seed(seed)
            prompt = torch.randint(1, 97, (4 + p,))
            made = generate(model, prompt)
            if wanted(made) and is_stable(prompt, made):
                break
        out[f"prompt.{p}"] = prompt
        for name, value in made.items():
            key = f"{name[:-6]}.{p}.score" if name.endswith(".score") else f"{name}.{p}"
            out[key] = value
            print(key, value.tolist())
    save("generation", out)


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.filterwarnings("ignore")
    FOLDER.mkdir(exist_ok=True)
    make_model()
    sequences, targets = make_batch()
    make_finetune(sequences, targets)
    for name, config in methods().items():
        make_method(name, config, sequences, targets)
    make_infix(sequences, targets)
    make_adaption_prompt(sequences, targets)
    make_optimizers()
    make_schedules()
    make_generation()
    (FOLDER / "generation_config.json").unlink()
    for path in FOLDER.iterdir():
        path.chmod(0o644)
    print(VERSIONS)


main()
