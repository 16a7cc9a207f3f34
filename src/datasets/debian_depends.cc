// Description of a package -> description of one that it depends on or recommends, among others of
// the same section: relatedness that people stated for another purpose. With the debtags of both,
// which are the concepts that a supervised explicit semantic space is learned from (Bogdanova and
// Yazdani, 2017: there jobs, members and their skills).
//
// Who belongs to one source package is on one side: what is tested asks for packages whose sources
// are tested, too, among such, and no pair to train on has either.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/atomic_file.h"
#include "base/random.h"
#include "datasets/catalogue.h"
#include "datasets/debian_texts.h"
#include "datasets/package_names.h"
#include "datasets/split.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

using Json = nlohmann::ordered_json;
using Place = std::uint32_t;

constexpr std::size_t kQueries = 2000, kTrained = 20000, kPairsEach = 2, kNegatives = 2;
constexpr std::size_t kCandidates = 100;
constexpr double kValidationShare = 0.05;
// A package on which more depend says little of any one of them: libc6, python3 ...
constexpr std::size_t kMostDependents = 200;

enum class Side : std::uint8_t { training, validation, test };

struct Graph {
  std::vector<DebianText> texts;
  std::vector<Side> sides;
  std::vector<std::vector<Place>> depends;  // all that are there, ascending
  std::vector<std::vector<Place>> related;  // those that are asked for
  std::unordered_map<std::string, std::vector<Place>> tested_of_section, others_of_section;

  bool is_other(Place a, Place b) const {
    return a != b && texts[a].source != texts[b].source &&
           !std::binary_search(depends[a].begin(), depends[a].end(), b);
  }
};

Side side_of(const std::string& source, std::uint64_t seed) {
  if (in_test(source, kDebianQueryShare, seed)) return Side::test;
  return in_test(source, kValidationShare, seed + 1000) ? Side::validation : Side::training;
}

void add_depends(const std::unordered_map<std::string, Package>& packages, Graph& graph) {
  std::unordered_map<std::string_view, Place> place_of;
  for (Place i = 0; i < graph.texts.size(); ++i) {
    for (const std::string& name : graph.texts[i].packages) place_of.emplace(name, i);
  }
  for (const DebianText& text : graph.texts) {
    std::vector<Place>& own = graph.depends.emplace_back();
    for (const std::string& name : text.packages) {
      const auto package = packages.find(name);
      if (package == packages.end()) continue;
      for (const std::string& needed : package->second.depends) {
        const auto found = place_of.find(needed);
        if (found != place_of.end()) own.push_back(found->second);
      }
    }
    std::sort(own.begin(), own.end());
    own.erase(std::unique(own.begin(), own.end()), own.end());
  }
}

void add_related(Graph& graph) {
  std::vector<std::size_t> dependents(graph.texts.size());
  for (const auto& own : graph.depends) {
    for (const Place each : own) ++dependents[each];
  }
  for (Place a = 0; a < graph.texts.size(); ++a) {
    const DebianText& text = graph.texts[a];
    std::vector<Place>& own = graph.related.emplace_back();
    if (text.text.empty()) continue;
    for (const Place b : graph.depends[a]) {
      const DebianText& other = graph.texts[b];
      const bool twin = other.source == text.source || stem_of(other.id) == stem_of(text.id);
      if (!twin && !other.text.empty() && dependents[b] <= kMostDependents) own.push_back(b);
    }
  }
}

Graph make_graph(Packages& packages, std::uint64_t seed) {
  Graph graph;
  graph.texts = debian_texts(packages);
  for (Place i = 0; i < graph.texts.size(); ++i) {
    const DebianText& text = graph.texts[i];
    graph.sides.push_back(side_of(text.source, seed));
    if (text.text.empty()) continue;
    const bool tested = graph.sides[i] == Side::test;
    (tested ? graph.tested_of_section : graph.others_of_section)[text.section].push_back(i);
  }
  add_depends(read_packages(packages_file(packages.debian_lists())), graph);
  add_related(graph);
  return graph;
}

struct Pair {
  Place query, answer;
};

// At most `each` a query.
std::vector<Pair> pairs_of(const Graph& graph, Side side, std::size_t each, std::uint64_t seed) {
  std::vector<Pair> pairs;
  for (Place a = 0; a < graph.texts.size(); ++a) {
    if (graph.sides[a] != side) continue;
    std::vector<Place> answers;
    for (const Place b : graph.related[a]) {
      if ((graph.sides[b] == Side::test) == (side == Side::test)) answers.push_back(b);
    }
    for (const std::uint32_t drawn :
         random_sample(answers.size(), std::min(each, answers.size()), seed + a)) {
      pairs.push_back({a, answers[drawn]});
    }
  }
  return pairs;
}

std::vector<Pair> sample(const std::vector<Pair>& pairs, std::size_t most, std::uint64_t seed) {
  std::vector<Pair> some;
  for (const std::uint32_t i : random_sample(pairs.size(), std::min(most, pairs.size()), seed)) {
    some.push_back(pairs[i]);
  }
  return some;
}

// Up to `count` others, of the answer's section as far as there are enough.
std::vector<Place> others(const Graph& graph, const Pair& pair, std::size_t count, bool tested,
                          std::uint64_t seed) {
  const auto& sections = tested ? graph.tested_of_section : graph.others_of_section;
  std::vector<Place> found;
  const auto draw = [&](std::vector<Place> from, std::uint64_t stream) {
    Random random(seed, stream);
    for (std::size_t i = 0; i < from.size() && found.size() < count; ++i) {
      std::swap(from[i], from[i + random.below(from.size() - i)]);
      const Place b = from[i];
      const bool fits = b != pair.answer && graph.is_other(pair.query, b);
      if (fits && std::find(found.begin(), found.end(), b) == found.end()) found.push_back(b);
    }
  };
  const auto own = sections.find(graph.texts[pair.answer].section);
  if (own != sections.end()) draw(own->second, 1);
  if (found.size() == count) return found;
  std::vector<std::string_view> names;
  for (const auto& each : sections) names.push_back(each.first);
  std::sort(names.begin(), names.end());
  std::vector<Place> all;
  for (const std::string_view name : names) {
    const auto& each = sections.at(std::string(name));
    all.insert(all.end(), each.begin(), each.end());
  }
  draw(std::move(all), 2);
  return found;
}

// A query and its hundred candidates, the one that is sought in front.
RerankingTask task_of(const Graph& graph, std::uint64_t seed, bool masked) {
  RerankingTask task;
  task.queries.name = "queries";
  task.documents.name = "documents";
  std::unordered_map<std::string, Place> places;
  const auto document = [&](Place text) {
    std::string whole = whole_description(graph.texts[text]);
    const auto [at, fresh] = places.emplace(whole, static_cast<Place>(places.size()));
    if (fresh) task.documents.texts.push_back(std::move(whole));
    return at->second;
  };
  for (const Pair& pair : sample(pairs_of(graph, Side::test, 1, seed), kQueries, seed)) {
    std::string query = whole_description(graph.texts[pair.query]);
    if (masked) query = without_names(query, graph.texts[pair.answer].packages);
    task.queries.texts.push_back(std::move(query));
    std::vector<JudgedDocument>& list = task.candidates.emplace_back();
    list.push_back({document(pair.answer), 1});
    for (const Place each : others(graph, pair, kCandidates - 1, true, seed + pair.query)) {
      list.push_back({document(each), 0});
    }
  }
  return task;
}

std::vector<std::string> known_tags(const DebianText& text) {
  std::vector<std::string> tags = text.tags;
  std::erase_if(tags, [](const std::string& tag) { return tag.starts_with("special::"); });
  return tags;
}

void write_pairs(const Graph& graph, const std::vector<Pair>& pairs, std::uint64_t seed,
                 const std::string& path) {
  AtomicFile file(path);
  for (const Pair& pair : pairs) {
    const DebianText& query = graph.texts[pair.query];
    const DebianText& answer = graph.texts[pair.answer];
    Json line = {{"query", whole_description(query)}, {"positive", whole_description(answer)}};
    for (const Place each : others(graph, pair, kNegatives, false, seed + pair.query)) {
      line["negatives"].push_back(whole_description(graph.texts[each]));
    }
    line["query_tags"] = known_tags(query);
    line["tags"] = known_tags(answer);
    line["source"] = query.source;
    file.write(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  file.commit();
}

}  // namespace

std::vector<Task> make_depends(Packages& packages, std::uint64_t seed) {
  const Graph graph = make_graph(packages, seed);
  std::vector<Task> tasks(2);
  tasks[0].name = "plain";
  tasks[0].content = task_of(graph, seed, false);
  tasks[1].name = "masked";
  tasks[1].content = task_of(graph, seed, true);
  return tasks;
}

void add_depends_files(Packages& packages, std::uint64_t seed, const std::string& folder) {
  const Graph graph = make_graph(packages, seed);
  write_pairs(graph, sample(pairs_of(graph, Side::training, kPairsEach, seed), kTrained, seed),
              seed, folder + "/pairs.jsonl");
  write_pairs(graph, sample(pairs_of(graph, Side::validation, 1, seed), kQueries, seed), seed,
              folder + "/validation.jsonl");
}

}  // namespace kith::datasets
