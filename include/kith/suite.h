// Tasks that embeddings are judged by, read from folders as they are published: BEIR's
// (corpus.jsonl, queries.jsonl, qrels/test.tsv) and JSON lines with the fields of MTEB's data sets.
// What a folder holds shows in its files and in the fields of the first line of test.jsonl:
//
//   qrels/test.tsv, corpus.jsonl, queries.jsonl         retrieval
//   {"query", "positive": [...], "negative": [...]}     reranking
//   {"text", "label"}, and train.jsonl                  classification; multi-label, with a list
//   {"sentences", "labels"}                             clustering; with lists, one clustering a
//   line
//   {"sentence1", "sentence2", "score"}                 semantic similarity (STS)
//   {"sentence1", "sentence2", "label" or "labels"}     pair classification; with lists, many a
//   line
//   {"sentence1", "sentence2"}                          bitext mining; "gold": the line of the
//   answer
//
// ("sent1" and "sent2" will do.) A file task.json beside them, an object, may give "name",
// "licence", "language", "samples_per_label" and "max_documents"; docs/judge.md describes them.
// Part of libkith-encode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kith/label_metrics.h"

namespace kith {

// Texts that are embedded together. The name says what for: "queries" and "corpus", "train" and
// "test", "texts", "sentence1" and "sentence2".
struct TextPart {
  std::string name;
  std::vector<std::string> texts;
  std::vector<std::string> ids;  // one a text, or none: numbers from 0
};

struct JudgedDocument {
  std::uint32_t document;  // its place in the corpus
  int grade;               // above 0: relevant
};

struct RetrievalTask {
  TextPart queries, corpus;                             // queries: those that are judged
  std::vector<std::vector<JudgedDocument>> judgements;  // one list a query
};

struct RerankingTask {
  TextPart queries, documents;                          // documents: every text once
  std::vector<std::vector<JudgedDocument>> candidates;  // one list a query; grades 0 and 1
};

struct ClassificationTask {
  TextPart train, test;
  std::vector<std::string> labels;  // what the numbers stand for
  std::vector<Label> train_labels, test_labels;
  std::size_t samples_per_label = 8;  // MTEB's default; some of its tasks take 16 or more
};

// A text may have any number of labels.
struct MultilabelTask {
  TextPart train, test;
  std::vector<std::string> labels;                            // what the numbers stand for
  std::vector<std::vector<Label>> train_labels, test_labels;  // of each text, ascending
  std::size_t samples_per_label = 8;                          // MTEB's default
};

struct ClusteringTask {
  TextPart texts;
  std::vector<std::string> labels;
  std::vector<Label> truth;  // one a text
  // Of the older form, where each set of texts [first, second) is clustered by itself; empty: all
  // texts are sampled from, as MMTEB does.
  std::vector<std::pair<std::size_t, std::size_t>> sets;
  std::size_t max_documents = 0;  // sampled before embedding; 0: MTEB's 4 %
};

struct StsTask {
  TextPart first, second;
  std::vector<double> scores;
};

struct PairTask {
  TextPart first, second;
  std::vector<std::uint8_t> positive;  // 0 or 1
};

struct BitextTask {
  TextPart first, second;
  std::vector<std::uint32_t> gold;  // of each text of `first`, its translation's place in `second`
};

struct Task {
  std::string name, folder, licence, language;
  std::variant<RetrievalTask, RerankingTask, ClassificationTask, ClusteringTask, StsTask, PairTask,
               BitextTask, MultilabelTask>
      content;
};

// MTEB's name of the type: "Retrieval", "Reranking", "Classification", "Clustering", "STS",
// "PairClassification", "BitextMining" or
// "MultilabelClassification".
std::string_view task_type(const Task& task);

// The parts that a system embeds, in a fixed order.
std::vector<const TextPart*> text_parts(const Task& task);

// Throws not_found for a missing file, and corrupt, naming file and line, for malformed lines,
// missing fields, empty texts, an id twice, judgements of ids that no text has, and labels of one
// kind only.
Task read_task(const std::string& folder);

// A folder with one task, or with folders that hold one each, by name. Throws not_found when there
// is none.
std::vector<Task> read_suite(const std::string& folder);

// Writes what read_task reads, task.json last. Makes the folder; files of an earlier task that this
// one replaces are overwritten, each whole or not at all. Throws io.
void write_task(const Task& task, const std::string& folder);

struct DownsampleOptions {
  std::size_t queries = 1000;  // at most so many, drawn by the seed
  std::size_t depth = 250;     // of each pool, a query
  std::uint64_t seed = 42;
};

// A retrieval task whose corpus holds hard negatives and nothing easy: for each drawn query the
// first documents of every pool, and all that it has judgements of (MMTEB's way). A pool lists, for
// each of the task's queries, documents from best to worst; take pools of several kinds of systems,
// as those that pool are favoured. Throws invalid_argument for no pools, one that doesn't fit, or a
// task of another type.
using Pool = std::vector<std::vector<std::uint32_t>>;
Task downsample(const Task& task, const std::vector<Pool>& pools,
                const DownsampleOptions& options = {});

}  // namespace kith
