// O1 Embedder: does a model find more when it writes a thought about a query before it embeds it?
// No large model is there to write thoughts to learn from, so that WordNet has to: a query is a
// noun's gloss, what answers it is the gloss of what the noun is a kind of a kind of, and a thought
// names the two steps. Glosses are without the words that they define, so that no thought has its
// answer's name in common with it. A committee chooses among the right steps, those of another
// sense and words of the gloss. As a control the same thoughts stand between a gloss and its own
// words. The base is a llama of 6 layers and 128 dimensions. A large model could write such steps;
// this one first learns to, for all rows alike, as a language model of glosses that end with them,
// of nouns that aren't tested. All weights train, where the paper has adapters. Batches are of 64
// with one hard negative each, the paper's fifteen.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/cpu_time.h"
#include "base/random.h"
#include "datasets/held_out.h"
#include "datasets/reverse_dictionaries.h"
#include "datasets/wordnet.h"
#include "encode/thinking.h"
#include "kith/text_encoder.h"
#include "mine/vote.h"
#include "papers/common/bases.h"
#include "papers/common/contrastive.h"
#include "papers/common/elastic_model.h"
#include "papers/common/hard_negatives.h"
#include "papers/common/made_up_texts.h"
#include "papers/common/paper.h"
#include "papers/common/text_tasks.h"
#include "papers/common/trained_models.h"
#include "papers/common/training_data.h"

namespace kith::papers {
namespace {

constexpr std::size_t kTokens = 32;  // of a query and of a document
constexpr std::size_t kThoughtTokens = 16;
constexpr std::size_t kTaught = 16000;    // examples: once through them is a training
constexpr std::size_t kTargets = 8000;    // glosses that are sought among
constexpr double kUnknownTargets = 0.05;  // share of targets that no example has

// ---- Data ---------------------------------------------------------------------------------------

struct Question {
  std::string query, target;            // glosses
  std::string words;                    // what the query defines
  std::vector<std::string> answers;     // all that are two steps above, `target` first
  std::vector<std::string> candidates;  // thoughts, in random order
  std::size_t right = 0;                // the one along the way to `target`
  std::string name;                     // of what is one step above
};

constexpr char kOneStep[] = "a kind of ";

std::string steps_of(const std::string& one, const std::string& two) {
  return kOneStep + one + ", " + kOneStep + two;
}

// WordNet's nouns, by number.
class Nouns {
 public:
  explicit Nouns(std::vector<datasets::Synset> synsets) : synsets_(std::move(synsets)) {
    for (std::uint32_t i = 0; i < synsets_.size(); ++i) {
      by_offset_[synsets_[i].offset] = i;
      for (const std::string& word : synsets_[i].words) by_word_[word].push_back(i);
    }
  }

  // No question where there are no two steps, or a gloss says too little.
  std::optional<Question> question(std::uint32_t noun, Random& random) const {
    constexpr std::size_t kLeastLetters = 20;
    const datasets::Synset& own = synsets_[noun];
    Question question{.query = gloss(own),
                      .target = {},
                      .words = datasets::joined_words(own),
                      .answers = {},
                      .candidates = {},
                      .name = {}};
    std::vector<std::string> ways;
    for (const std::uint32_t one : above(own)) {
      for (const std::uint32_t two : above(synsets_[one])) {
        std::string answer = gloss(synsets_[two]);
        if (answer.size() < kLeastLetters) continue;
        question.answers.push_back(std::move(answer));
        ways.push_back(steps_of(synsets_[one].words.front(), synsets_[two].words.front()));
        if (ways.size() == 1) question.name = synsets_[one].words.front();
      }
    }
    if (ways.empty() || question.query.size() < kLeastLetters) return {};
    question.target = question.answers.front();
    question.candidates = {
        ways.front(),
        ways.back() != ways.front() ? ways.back() : another_sense(question.name, random),
        nouns_of(question.query)};
    std::swap(question.candidates[2], question.candidates[random.below(3)]);
    std::swap(question.candidates[1], question.candidates[random.below(2)]);
    question.right = static_cast<std::size_t>(
        std::find(question.candidates.begin(), question.candidates.end(), ways.front()) -
        question.candidates.begin());
    return question;
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(synsets_.size()); }

 private:
  static std::string gloss(const datasets::Synset& synset) {
    return datasets::definition_query(synset.definition, synset.words);
  }
  std::vector<std::uint32_t> above(const datasets::Synset& synset) const {
    std::vector<std::uint32_t> nouns;
    for (const std::uint32_t offset : synset.hypernyms) nouns.push_back(by_offset_.at(offset));
    return nouns;
  }
  // The steps from the word in a sense that has one above, or else from any noun.
  std::string another_sense(const std::string& word, Random& random) const {
    std::vector<std::uint32_t> senses = by_word_.at(word);
    senses.erase(senses.begin());
    std::erase_if(senses, [&](std::uint32_t each) { return synsets_[each].hypernyms.empty(); });
    std::uint32_t sense = senses.empty() ? 0 : senses[random.below(senses.size())];
    while (synsets_[sense].hypernyms.empty()) {
      sense = static_cast<std::uint32_t>(random.below(synsets_.size()));
    }
    return steps_of(word, synsets_[above(synsets_[sense]).front()].words.front());
  }
  // The first words of a text that are nouns as they stand.
  std::string nouns_of(std::string_view text) const {
    constexpr std::size_t kMost = 4, kLeastLetters = 4;
    std::string found;
    std::size_t count = 0;
    std::string word;
    for (const char c : std::string(text) + " ") {
      if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
        word += c;
        continue;
      }
      if (word.size() >= kLeastLetters && count < kMost && by_word_.contains(word)) {
        found += (count++ == 0 ? "" : ", ") + word;
      }
      word.clear();
    }
    return found.empty() ? std::string(text.substr(0, text.find(' '))) : found;
  }

  std::vector<datasets::Synset> synsets_;
  std::unordered_map<std::uint32_t, std::uint32_t> by_offset_;
  std::unordered_map<std::string, std::vector<std::uint32_t>> by_word_;
};

struct Questions {
  std::vector<Question> taught, known, unknown;  // to train on; with targets of those, and without
  std::vector<std::string> targets, words;       // what is sought among
  std::vector<std::string> texts;  // glosses with their steps, of nouns that aren't tested
};

// In random order.
std::vector<Question> all_questions(const Trial& trial) {
  std::vector<Question> all;
  Random random(trial.seed);
  if (trial.quick) {
    constexpr std::size_t kQuestions = 400, kAnswers = 60, kTopics = 12;
    const std::vector<TrainingPair> pairs = made_up_pairs(random, kAnswers);
    for (std::size_t i = 0; i < kQuestions; ++i) {
      const TrainingPair& pair = pairs[i % kAnswers];
      const std::string &right = pair.query, &other = pair.negatives.front();
      all.push_back({.query = made_up_text(i % kTopics, 8, random),
                     .target = pair.positive,
                     .words = right,
                     .answers = {pair.positive},
                     .candidates = {other, right},
                     .right = 1,
                     .name = right});
    }
    return all;
  }
  datasets::Packages packages(trial.cache, trial.control, [](const std::string&) {});
  const Nouns nouns(datasets::read_wordnet(packages).front());
  std::unordered_set<std::uint64_t> seen;
  for (const std::uint32_t noun : random_permutation(nouns.size(), trial.seed)) {
    std::optional<Question> question = nouns.question(noun, random);
    if (question && seen.insert(datasets::fingerprint(question->query)).second) {
      all.push_back(std::move(*question));
    }
  }
  return all;
}

Questions questions_of(const Trial& trial) {
  const std::size_t taught = trial.quick ? 200 : kTaught, known = trial.quick ? 40 : 800,
                    unknown = trial.quick ? 20 : 400;
  const double unknown_share = trial.quick ? 0.3 : kUnknownTargets;
  Questions questions;
  std::unordered_set<std::string> targets, words, known_targets;
  const auto is_unknown = [&](const std::string& target) {
    return Random(trial.seed, datasets::fingerprint(target)).uniform() < unknown_share;
  };
  const std::vector<Question> all = all_questions(trial);
  for (const Question& each : all) {
    if (is_unknown(each.target)) {
      if (questions.unknown.size() < unknown) questions.unknown.push_back(each);
    } else if (std::ranges::none_of(each.answers, is_unknown)) {
      const bool teaches = questions.taught.size() < taught;
      const bool tests =
          !teaches && questions.known.size() < known && known_targets.contains(each.target);
      if (teaches) questions.taught.push_back(each);
      if (teaches) known_targets.insert(each.target);
      if (tests) questions.known.push_back(each);
      if (!tests) questions.texts.push_back(each.query + ", " + each.candidates[each.right]);
    }
  }
  const auto add = [](std::vector<std::string>& to, std::unordered_set<std::string>& there,
                      const std::string& text) {
    if (there.insert(text).second) to.push_back(text);
  };
  for (const auto* tested : {&questions.known, &questions.unknown}) {
    for (const Question& each : *tested) {
      for (const std::string& answer : each.answers) add(questions.targets, targets, answer);
      add(questions.words, words, each.words);
    }
  }
  for (const Question& each : all) {
    if (questions.targets.size() < kTargets) add(questions.targets, targets, each.target);
    if (questions.words.size() < kTargets) add(questions.words, words, each.words);
  }
  return questions;
}

// What a question asks for: two steps up, or the words that it defines.
struct Asked {
  const char* name;
  const std::vector<std::string>& corpus;
  std::vector<std::string> (*answers)(const Question& question);
};

Task task_of(const Asked& asked, std::span<const Question> questions) {
  RetrievalTask task;
  task.queries.name = "queries";
  task.corpus.name = "corpus";
  task.corpus.texts = asked.corpus;
  std::unordered_map<std::string_view, std::uint32_t> places;
  for (std::uint32_t i = 0; i < asked.corpus.size(); ++i) {
    places[asked.corpus[i]] = i;
    task.corpus.ids.push_back(fmt::format("d{}", i));
  }
  for (const Question& each : questions) {
    task.queries.ids.push_back(fmt::format("q{}", task.queries.texts.size()));
    task.queries.texts.push_back(each.query);
    std::map<std::uint32_t, int> judged;
    for (const std::string& answer : asked.answers(each)) judged[places.at(answer)] = 1;
    auto& list = task.judgements.emplace_back();
    for (const auto& [document, grade] : judged) list.push_back({document, grade});
  }
  Task result;
  result.name = asked.name;
  result.content = std::move(task);
  return result;
}

// ---- Thoughts to learn --------------------------------------------------------------------------

// Two encoders of words and their glosses.
std::vector<std::string> committee(const Trial& trial) {
  ContrastiveOptions options;
  options.data = data_table(gloss_pairs(trial));
  options.document_tokens = kTokens;
  options.steps = 100;
  options.seed = 1;
  std::vector<std::string> folders;
  options.base = tiny_bert(trial);
  options.model = "pooling = \"mean\"";
  folders.push_back(trained(trial, "o1-member", contrastive_recipe(options, trial)));
  options.base = tiny_lm(trial);
  options.model = "pooling = \"last\"";
  folders.push_back(trained(trial, "o1-member", contrastive_recipe(options, trial)));
  return folders;
}

// The candidate that is nearest to what answers each question.
std::vector<std::uint32_t> elected(const std::vector<Question>& questions, const Trial& trial) {
  std::vector<mine::Ballot> ballots;
  for (const Question& each : questions) ballots.push_back({each.target, each.candidates});
  std::vector<ElasticModel> encoders;
  for (const std::string& folder : committee(trial)) encoders.emplace_back(folder, kTokens);
  mine::VoteOptions options;
  options.control = trial.control;
  return mine::vote(ballots, std::vector<Embedder*>{nullptr, &encoders[0], &encoders[1]}, options);
}

std::string examples(const Trial& trial, const std::string& name, const Questions& questions,
                     const Asked& asked, const std::vector<std::uint32_t>& thoughts) {
  std::vector<TrainingPair> pairs;
  for (std::size_t i = 0; i < questions.taught.size(); ++i) {
    const Question& each = questions.taught[i];
    TrainingPair pair{each.query, asked.answers(each).front()};
    pair.thought = each.candidates[thoughts[i]];
    pairs.push_back(std::move(pair));
  }
  add_hard_negatives(pairs, {.each = 1}, trial);
  std::string path =
      data_path(trial, fmt::format("o1-{}-{}", name, trial.seed), {"wordnet"}, ".jsonl");
  write_pairs(path, pairs);
  return path;
}

// ---- Models -------------------------------------------------------------------------------------

// A language model that can write steps: further pretrained on glosses that end with theirs.
std::string writer(const Trial& trial, const Questions& questions) {
  const std::string path =
      data_path(trial, fmt::format("o1-texts-{}", trial.seed), {"wordnet"}, ".jsonl");
  write_training_texts(path, questions.texts);
  std::string folder = pretrained(
      trial, "o1-writer",
      fmt::format("[model]\nbase = \"{}\"\n[objective]\nkind = \"clm\"\n[[data]]\n"
                  "files = [\"{}\"]\n[train]\nsteps = {}\nbatch = {}\ntokens = 64\n"
                  "learning_rate = 2e-3\nwarmup = 0.1\ndropout = 0.0\n"
                  "attention_dropout = 0.0\nseed = {}\n",
                  tiny_lm(trial), path, trial.quick ? 4 : 500, trial.quick ? 8 : 64, trial.seed));
  trial.step();
  return folder;
}

std::string model(const Trial& trial, const std::string& base, const std::string& file,
                  bool thinks) {
  ContrastiveOptions options;
  options.base = base;
  options.model = thinks ? fmt::format("[model.thinking]\nquery_tokens = {}\nthought_tokens = {}",
                                       kTokens, kThoughtTokens)
                         : "pooling = \"last\"";
  options.data = data_table(file, 1);
  options.steps = 250;
  options.batch = 64;
  options.query_tokens = options.document_tokens = kTokens;
  std::string folder = trained(trial, "o1-embedder", contrastive_recipe(options, trial));
  trial.step();
  return folder;
}

// Queries with thoughts that the model writes or that are given; documents without.
class Thinker : public Embedder {
 public:
  explicit Thinker(const std::string& folder)
      : folder_(folder), model_(TextEncoder::open(folder)) {}

  void write(std::size_t thoughts, double temperature, std::uint64_t seed) {
    think_ = {.thoughts = thoughts, .temperature = temperature, .seed = seed};
    given_.clear();
  }
  // Of each query its right one.
  void give(std::span<const Question> questions) {
    for (const Question& each : questions) given_[each.query] = each.candidates[each.right];
  }
  // Of the last queries.
  const std::vector<std::vector<std::string>>& thoughts() const { return thoughts_; }
  double seconds() const { return seconds_; }

  std::string name() const override { return folder_; }
  Matrix<float> embed(const TextPart& part, std::span<const std::uint32_t> which,
                      const Control& control) override {
    std::vector<std::string_view> texts;
    for (const std::uint32_t text : which) texts.emplace_back(part.texts[text]);
    TextEncodeOptions options;
    options.control = control;
    if (part.name == "corpus") {
      if (corpus_.rows() == 0) corpus_ = model_.encode(texts, options).vectors;
      return corpus_.clone();
    }
    if (!given_.empty()) return with_given(texts, control);
    options.think = think_;
    const double before = cpu_seconds();
    EncodedTexts encoded = model_.encode(texts, options);
    seconds_ = cpu_seconds() - before;
    thoughts_ = std::move(encoded.thoughts);
    return std::move(encoded.vectors);
  }

 private:
  Matrix<float> with_given(std::span<const std::string_view> texts, const Control& control) const {
    const Encoder encoder = Encoder::open(folder_);
    const Tokenizer tokenizer = Tokenizer::open(folder_ + "/tokenizer.json");
    const encode::Thinking thinking = encode::read_thinking(folder_, tokenizer).value();
    std::vector<std::vector<std::uint32_t>> sequences;
    std::vector<TokenSequence> tokens;
    for (const std::string_view text : texts) {
      std::vector<std::uint32_t> thought =
          tokenizer.encode(given_.at(std::string(text)), {.special_tokens = false}).ids;
      thought.resize(std::min(thought.size(), thinking.thought_tokens));
      thinking.finish(thought, sequences.emplace_back(thinking.prompt(tokenizer, text)));
    }
    for (const auto& ids : sequences) tokens.push_back({.ids = ids, .types = {}});
    EncodeOptions options;
    options.control = control;
    return encoder.encode(tokens, options);
  }

  std::string folder_;
  TextEncoder model_;
  ThinkOptions think_;
  std::unordered_map<std::string, std::string> given_;  // by query
  Matrix<float> corpus_;                                // of the one corpus that it is asked about
  std::vector<std::vector<std::string>> thoughts_;
  double seconds_ = 0;
};

// ---- Comparison ---------------------------------------------------------------------------------

constexpr char kTwoSteps[] = "nDCG@10, two steps above", kOwnWords[] = "nDCG@10, own words",
               kChosen[] = "thoughts", kShared[] = "words in common", kCost[] = "time";
constexpr char kKnown[] = "targets trained on", kUnknown[] = "targets never trained on",
               kAll[] = "all", kTime[] = "CPU s for 1,000 queries";
constexpr char kPlain[] = "plain", kAtOnce[] = "O1, embedded at once", kOne[] = "O1, one thought",
               kThree[] = "O1, three thoughts", kUnlike[] = "O1, three thoughts, temperature 0.7",
               kRandom[] = "O1 with thoughts chosen at random, three thoughts",
               kGiven[] = "O1, the right thought given";
constexpr double kTemperature = 0.1, kHigh = 0.7;  // the paper's; one that gives unlike thoughts

// The share of a text's words of four letters or more that another one has, too.
double words_shared(const std::string& text, const std::string& other) {
  const auto words = [](const std::string& from) {
    std::unordered_set<std::string> found;
    std::string word;
    for (const char c : from + " ") {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
        word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      } else {
        if (word.size() >= 4) found.insert(word);
        word.clear();
      }
    }
    return found;
  };
  const auto own = words(text), there = words(other);
  const auto shared = std::ranges::count_if(own, [&](const auto& w) { return there.contains(w); });
  return own.empty() ? 0 : static_cast<double>(shared) / static_cast<double>(own.size());
}

void measure_texts(const Questions& questions, const std::vector<std::uint32_t>& chosen,
                   Results& results) {
  double right = 0, query = 0, thought = 0;
  const auto count = static_cast<double>(questions.taught.size());
  for (std::size_t i = 0; i < questions.taught.size(); ++i) {
    const Question& each = questions.taught[i];
    right += (chosen[i] == each.right ? 1 : 0) / count;
    query += words_shared(each.query, each.target) / count;
    thought +=
        words_shared(each.candidates[each.right].substr(std::size(kOneStep) - 1), each.target) /
        count;
  }
  results.add(kChosen, "chosen by the committee", "right", right);
  results.add(kShared, "of the query with its target", kAll, query);
  results.add(kShared, "of the right thought with the target", kAll, thought);
}

// How many written thoughts have the name of what is one step above.
void measure_thoughts(std::span<const Question> questions,
                      const std::vector<std::vector<std::string>>& thoughts, Results& results) {
  double named = 0, whole = 0;
  const auto count = static_cast<double>(questions.size());
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const Question& each = questions[i];
    const std::string& own = thoughts[i].front();
    named += (own.starts_with(kOneStep + each.name + ",") ? 1 : 0) / count;
    whole += (own == each.candidates[each.right] ? 1 : 0) / count;
  }
  results.add(kChosen, "written, first step", "right", named);
  results.add(kChosen, "written, both steps", "right", whole);
}

void measure_two_steps(const Questions& questions, const Asked& asked, const std::string& base,
                       const std::vector<std::uint32_t>& chosen, const Trial& trial,
                       Results& results) {
  const Task known = task_of(asked, questions.known), unknown = task_of(asked, questions.unknown);
  const auto judge = [&](const char* row, Embedder& embedder) {
    const double found = score(unknown, embedder, trial);
    results.add(kTwoSteps, row, kKnown, score(known, embedder, trial));
    results.add(kTwoSteps, row, kUnknown, found);
    trial.step();
  };
  const std::string file = examples(trial, "elected", questions, asked, chosen);
  ElasticModel plain(model(trial, base, file, false), kTokens);
  judge(kPlain, plain);
  Thinker thinker(model(trial, base, file, true));
  const auto timed = [&](const char* row, std::size_t thoughts, double temperature) {
    thinker.write(thoughts, temperature, trial.seed);
    judge(row, thinker);
    results.add(kCost, row, kTime,
                1000 * thinker.seconds() / static_cast<double>(questions.known.size()));
  };
  timed(kAtOnce, 0, kTemperature);
  timed(kOne, 1, kTemperature);
  measure_thoughts(questions.known, thinker.thoughts(), results);
  timed(kThree, 3, kTemperature);
  timed(kUnlike, 3, kHigh);
  thinker.give(questions.known);
  thinker.give(questions.unknown);
  judge(kGiven, thinker);

  const std::vector<std::uint32_t> first(questions.taught.size());  // the order is random
  Thinker random(model(trial, base, examples(trial, "random", questions, asked, first), true));
  random.write(3, kTemperature, trial.seed);
  judge(kRandom, random);
}

void measure_own_words(const Questions& questions, const Asked& asked, const std::string& base,
                       const std::vector<std::uint32_t>& chosen, const Trial& trial,
                       Results& results) {
  std::vector<Question> tested = questions.known;
  tested.insert(tested.end(), questions.unknown.begin(), questions.unknown.end());
  const Task task = task_of(asked, tested);
  const std::string file = examples(trial, "words", questions, asked, chosen);
  ElasticModel plain(model(trial, base, file, false), kTokens);
  results.add(kOwnWords, kPlain, kAll, score(task, plain, trial));
  trial.step();
  Thinker thinker(model(trial, base, file, true));
  thinker.write(0, kTemperature, trial.seed);
  results.add(kOwnWords, kAtOnce, kAll, score(task, thinker, trial));
  thinker.write(3, kTemperature, trial.seed);
  results.add(kOwnWords, kThree, kAll, score(task, thinker, trial));
  trial.step();
}

void measure(const Trial& trial, Results& results) {
  trial.expect(16);
  const Questions questions = questions_of(trial);
  const std::vector<std::uint32_t> chosen = elected(questions.taught, trial);
  trial.step();
  measure_texts(questions, chosen, results);
  const std::string base = writer(trial, questions);
  measure_two_steps(
      questions,
      {"two steps", questions.targets, [](const Question& each) { return each.answers; }}, base,
      chosen, trial, results);
  measure_own_words(
      questions,
      {"own words", questions.words, [](const Question& each) { return std::vector{each.words}; }},
      base, chosen, trial, results);
}

Judgement better(const Results& results, const char* row, const char* than) {
  return above(fmt::format("{} - {}", row, than), results.difference(kTwoSteps, row, than, kKnown));
}

constexpr double kNoLoss = -0.01;

const Registration registration({
    .slug = "o1-embedder",
    .title = "O1 Embedder: Let Retrievers Think Before Action",
    .authors = "Yan, Liu and Lian",
    .year = 2025,
    .source = "arXiv 2502.07555",
    .data = {"train/texts", "train/wordnet"},
    .seeds = 5,
    .claims =
        {{"A model that thinks before it embeds a query finds more than when it embeds at once",
          "shown if nDCG@10 two steps above, targets trained on, with three thoughts minus that of "
          "the same model without is above 0, refuted if below",
          [](const Results& results) { return better(results, kThree, kAtOnce); }},
         {"It finds more than a model of the same base and steps that learned no thoughts",
          "shown if nDCG@10 with three thoughts minus that of the plain model is above 0, refuted "
          "if below",
          [](const Results& results) { return better(results, kThree, kPlain); }},
         {"So it does where no example had the target", "as above, on targets never trained on",
          [](const Results& results) {
            return above("three thoughts - plain",
                         results.difference(kTwoSteps, kThree, kPlain, kUnknown));
          }},
         {"Thinking gains more where an answer is two steps away than where it is near",
          "shown if what three thoughts gain over the plain model two steps above, minus what they "
          "gain at the query's own words, is above 0, refuted if below",
          [](const Results& results) {
            const auto gains = [&](const char* table, const char* column) {
              const auto thinks = results.values(table, kThree, column);
              const auto plain = results.values(table, kPlain, column);
              std::vector<double> gains;
              for (std::size_t s = 0; s < thinks.size(); ++s) gains.push_back(thinks[s] - plain[s]);
              return gains;
            };
            return above("difference of gains",
                         paired_difference(gains(kTwoSteps, kKnown), gains(kOwnWords, kAll)));
          }},
         {"Thoughts that a committee chose teach better than ones chosen at random",
          "shown if nDCG@10 with three thoughts minus that of the model trained on candidates "
          "drawn at random is above 0, refuted if below",
          [](const Results& results) { return better(results, kThree, kRandom); }},
         {"The mean over three thoughts that differ is better than one thought",
          "shown if nDCG@10 with three thoughts at temperature 0.7 minus that with one at 0.1 is "
          "above 0, refuted if below",
          [](const Results& results) { return better(results, kUnlike, kOne); }},
         {"Learning to think costs nothing where the model embeds at once",
          "shown if nDCG@10 without thoughts minus that of the plain model is above -0.01, refuted "
          "if below",
          [](const Results& results) {
            return above("at once - plain", results.difference(kTwoSteps, kAtOnce, kPlain, kKnown),
                         kNoLoss);
          }},
         {"What limits it is what it writes: given the right thought, it finds more than the plain "
          "model",
          "shown if nDCG@10 with the right thought minus that of the plain model is above 0, "
          "refuted if below",
          [](const Results& results) { return better(results, kGiven, kPlain); }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers
