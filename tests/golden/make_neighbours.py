"""Golden vectors of nearest vocabulary tokens, with numpy in float64.

gpt2-tiny/neighbours.safetensors, from the token embeddings of gpt2-tiny/model.safetensors:
  rows     [9, 32] random rows, one of them zeros and one a multiple of an embedding
  ids      [9, 10] the tokens with the largest cosine, largest first (ties: smaller id)
  cosines  [9, 10] theirs
  ranks    [97] of each token: its place at the row where it ranks best
"""
from pathlib import Path

import numpy
from safetensors.numpy import load_file, save_file

FOLDER = Path(__file__).parent / "gpt2-tiny"
TOP = 10

weights = load_file(FOLDER / "model.safetensors")
embedding = weights["transformer.wte.weight" if "transformer.wte.weight" in weights
                    else "wte.weight"].astype(numpy.float64)
rows = numpy.random.default_rng(11).normal(0, 0.05, (9, embedding.shape[1])).astype(numpy.float32)
rows[3] = 0
rows[5] = (-2.5 * embedding[40]).astype(numpy.float32)
lengths = numpy.linalg.norm(rows.astype(numpy.float64), axis=1, keepdims=True)
units = numpy.divide(rows, lengths, where=lengths > 0, out=numpy.zeros(rows.shape))
cosines = units @ (embedding / numpy.linalg.norm(embedding, axis=1, keepdims=True)).T
order = numpy.argsort(-cosines, axis=1, kind="stable")[:, :TOP]
ranks = (1 + (cosines[:, None, :] > cosines[:, :, None]).sum(2)).min(0)
save_file({"rows": rows, "ids": order.astype(numpy.float32),
           "cosines": numpy.take_along_axis(cosines, order, 1).astype(numpy.float32),
           "ranks": ranks.astype(numpy.float32)}, FOLDER / "neighbours.safetensors")
print("numpy", numpy.__version__)
