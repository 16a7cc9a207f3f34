// node onnx.cjs MODEL.onnx BATCH.json: runs the model with onnxruntime on the batch's token ids, padded
// behind and in front, and compares its vectors with those of the batch. (Node runs this; kith itself
// needs neither.)
const fs = require('fs');
const { InferenceSession, Tensor } = require('onnxruntime-node');

const kMost = 1e-4;

function padded(rows, length, in_front, fill) {
  const values = new BigInt64Array(rows.length * length).fill(BigInt(fill));
  rows.forEach((row, i) => row.forEach((value, j) => {
    values[i * length + (in_front ? length - row.length + j : j)] = BigInt(value);
  }));
  return new Tensor('int64', values, [rows.length, length]);
}

async function main(model, file) {
  const batch = JSON.parse(fs.readFileSync(file, 'utf8'));
  const session = await InferenceSession.create(model);
  const length = Math.max(...batch.ids.map((row) => row.length));
  const ones = batch.ids.map((row) => row.map(() => 1));
  let worst = 0;
  for (const in_front of [false, true]) {
    const feeds = {
      input_ids: padded(batch.ids, length, in_front, 1),
      attention_mask: padded(ones, length, in_front, 0),
    };
    if (session.inputNames.includes('token_type_ids')) {
      feeds.token_type_ids = padded(batch.ids.map((row) => row.map(() => 0)), length, in_front, 0);
    }
    const found = (await session.run(feeds)).sentence_embedding;
    const dim = found.dims[1];
    batch.vectors.forEach((row, i) => row.forEach((value, j) => {
      const error = Math.abs(value - found.data[i * dim + j]);
      worst = Math.max(worst, Number.isNaN(error) ? 1e9 : error);
    }));
    if (dim !== batch.vectors[0].length) worst = 1e9;
  }
  console.log(`${model}: at most ${worst.toExponential(1)} apart`);
  if (!(worst < kMost)) process.exit(1);
}

main(...process.argv.slice(2));
