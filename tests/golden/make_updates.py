"""Golden vectors of methods that update linear maps, on the model and batch of make_gpt2.py.

gpt2-tiny/lora.safetensors         PEFT's LoRA of c_attn and c_fc, rank 3, alpha 16; B is not zero
gpt2-tiny/adalora.safetensors      PEFT's AdaLoRA of c_attn and c_fc, init_r 4; E is not zero. The
                                   loss has the orthogonality penalty (weight 0.5)
gpt2-tiny/adapter.safetensors      h + up(gelu(down(h))), width 6, after attn.c_proj and mlp.c_proj
    parameter.NAME, gradient.NAME  names without "base_model.model." and ".default"
    logits [26, 97], loss [1]      of the real tokens, each sequence run alone
gpt2-tiny/adalora-steps.safetensors
    10 steps of gradient descent from adalora's start, rate 0.05, with PEFT's RankAllocator: tinit
    2, tfinal 3, deltaT 2, target_r 2
    parameter.NAME                 after the last step
    ranks.STEP [4]                 singular values that are not zero after it, matrix by matrix
"""
import warnings
from pathlib import Path

import peft
import torch
import transformers
from peft import AdaLoraConfig, LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import GPT2LMHeadModel

FOLDER = Path(__file__).parent / "gpt2-tiny"
VERSIONS = (f"torch {torch.__version__}, transformers {transformers.__version__}, "
            f"peft {peft.__version__}")
TARGETS = ["c_attn", "c_fc"]
STEPS, RATE = 10, 0.05


def save(name, tensors):
    tensors = {k: v.detach().float().contiguous().clone() for k, v in tensors.items()}
    save_file(tensors, FOLDER / f"{name}.safetensors", metadata={"versions": VERSIONS})


def load_model():
    model = GPT2LMHeadModel.from_pretrained(FOLDER, dtype=torch.float32)
    return model.double().eval()


def load_batch():
    batch = load_file(FOLDER / "batch.safetensors")
    offsets = batch["offsets"].long().tolist()
    tokens = batch["tokens"].long()
    sequences = [tokens[a:b] for a, b in zip(offsets, offsets[1:])]
    return sequences, batch["targets"].long()


def run(model, sequences, targets):
    """Logits of all tokens and the batch's loss, each sequence run alone."""
    logits = torch.cat([model(input_ids=s[None]).logits[0] for s in sequences])
    loss = torch.nn.functional.cross_entropy(logits, targets, ignore_index=-1)
    return logits, loss


def short(name):
    return name.replace("base_model.model.", "").replace(".default", "")


def shake(model):
    """Values at which every gradient is there."""
    torch.manual_seed(5)
    trained = [p for p in model.parameters() if p.requires_grad]
    with torch.no_grad():
        for p in trained:
            p.copy_((torch.randn_like(p) * 0.1).float().double())


def record(name, model, logits, loss):
    loss.backward()
    out = {"logits": logits, "loss": loss[None]}
    for n, p in model.named_parameters():
        if p.requires_grad:
            out[f"parameter.{short(n)}"], out[f"gradient.{short(n)}"] = p, p.grad
    save(name, out)
    print(f"{name}: loss {loss.item():.4f}, {len(out) // 2 - 1} tensors")


def make_lora(batch):
    config = LoraConfig(task_type="CAUSAL_LM", r=3, lora_alpha=16, target_modules=TARGETS,
                        fan_in_fan_out=True)
    model = get_peft_model(load_model(), config).double().eval()
    shake(model)
    record("lora", model, *run(model, *batch))


def adalora():
    config = AdaLoraConfig(task_type="CAUSAL_LM", init_r=4, target_r=2, lora_alpha=8,
                           target_modules=TARGETS, fan_in_fan_out=True, total_step=STEPS, tinit=2,
                           tfinal=3, deltaT=2)
    model = get_peft_model(load_model(), config).double().eval()
    for name, p in model.named_parameters():
        if "ranknum" in name:  # a constant; get_peft_model lets it train by mistake
            p.requires_grad = False
    shake(model)
    return model


def adalora_loss(model, batch):
    """The penalty is in AdaLoraModel.forward, which needs labels; this is its value."""
    logits, loss = run(model, *batch)
    ids = batch[0][0][None]
    plain = model.base_model.model(input_ids=ids, labels=ids).loss
    return logits, loss + model.base_model(input_ids=ids, labels=ids).loss - plain


def make_adalora(batch):
    model = adalora()
    record("adalora", model, *adalora_loss(model, batch))


def make_adalora_steps(batch):
    model, out = adalora(), {}
    trained = {short(n): p for n, p in model.named_parameters() if p.requires_grad}
    for step in range(1, STEPS + 1):
        adalora_loss(model, batch)[1].backward()
        with torch.no_grad():
            for p in trained.values():
                p -= RATE * p.grad
        model.base_model.update_and_allocate(step)
        model.zero_grad()
        ranks = [(p != 0).sum() for n, p in trained.items() if n.endswith("lora_E")]
        out[f"ranks.{step}"] = torch.stack(ranks)
        print("step", step, "ranks", [int(r) for r in ranks])
    save("adalora-steps", out | {f"parameter.{n}": p for n, p in trained.items()})


class Adapted(torch.nn.Module):
    def __init__(self, inner, width, size):
        super().__init__()
        self.inner = inner
        self.adapter = torch.nn.ModuleDict({"down": torch.nn.Linear(width, size),
                                            "up": torch.nn.Linear(size, width)})

    def forward(self, x):
        h = self.inner(x)
        down = torch.nn.functional.gelu(self.adapter["down"](h), approximate="tanh")
        return h + self.adapter["up"](down)


def make_adapter(batch):
    model = load_model().requires_grad_(False)
    for block in model.transformer.h:
        for sublayer in (block.attn, block.mlp):
            sublayer.c_proj = Adapted(sublayer.c_proj, 32, 6).double()
    shake(model)
    record("adapter", model, *run(model, *batch))


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.filterwarnings("ignore")
    batch = load_batch()
    make_lora(batch)
    make_adalora(batch)
    make_adalora_steps(batch)
    make_adapter(batch)
    for name in ("lora", "adalora", "adalora-steps", "adapter"):
        (FOLDER / f"{name}.safetensors").chmod(0o644)
    print(VERSIONS)


main()
