// kith model merge: one model of several that were trained from one base, by arithmetic on their
// weights, or by what their losses on some texts say.
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/folder_path.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/load_learn.h"
#include "cli/options.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "cli/times.h"
#include "kith/error.h"
#include "learn/learn.h"

namespace kith::cli {
namespace {

namespace fs = std::filesystem;
using learn::MergeRequest;
using learn::MergeSummary;

struct Options : CommonOptions {
  MergeRequest request;
  std::string weights;
};

// What LibTorch's start is not worth waiting for.
void check(const MergeRequest& request) {
  const auto expect_folder = [](const std::string& path) {
    if (!fs::is_directory(path)) {
      throw Error(ErrorCode::not_found, path + ": not a folder, expected a model's");
    }
  };
  for (const std::string& model : request.models) expect_folder(model);
  if (!request.base.empty()) expect_folder(request.base);
  std::error_code none;
  if (fs::exists(request.output, none) && !fs::is_empty(request.output, none)) {
    throw Error(ErrorCode::invalid_argument,
                request.output + ": exists already, expected the name of a new folder");
  }
}

// The last parts of paths, or whole paths where those are the same.
std::vector<std::string> short_names(const std::vector<std::string>& paths) {
  std::vector<std::string> names;
  std::set<std::string> distinct;
  for (const std::string& path : paths) {
    names.push_back(folder_name(path));
    distinct.insert(names.back());
  }
  return distinct.size() == paths.size() ? names : paths;
}

Cell number(double value, int digits) { return {value, significant_text(value, digits)}; }

Cell angle(double degrees) {
  if (std::isnan(degrees)) return {};
  return {degrees, fixed_text(degrees, 1) + "°"};
}

nlohmann::ordered_json json_of(const MergeRequest& request, const MergeSummary& summary,
                               const Times& times) {
  const auto numbers = [](const std::vector<double>& values) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const double value : values) {
      list.push_back(std::isnan(value) ? nlohmann::ordered_json() : nlohmann::ordered_json(value));
    }
    return list;
  };
  nlohmann::ordered_json json = {{"output", summary.output}, {"method", request.method}};
  if (!request.base.empty()) {
    json["base"] = request.base;
    json["base_hash"] = summary.base_hash;
  }
  json["tensors"] = summary.tensors;
  json["parameters"] = summary.parameters;
  json["norm"] = summary.norm;
  if (summary.first_loss != 0) {
    json["first_loss"] = summary.first_loss;
    json["last_loss"] = summary.last_loss;
  }
  json["models"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < request.models.size(); ++i) {
    nlohmann::ordered_json model = {{"model", request.models[i]}, {"norm", summary.norms[i]}};
    if (!summary.coefficients.empty()) model["coefficient"] = summary.coefficients[i];
    model["angles"] = numbers(summary.angles[i]);
    json["models"].push_back(model);
  }
  json["wall_seconds"] = times.wall;
  json["cpu_seconds"] = times.cpu;
  return json;
}

// A row a model: its length, what it was multiplied by, its angle to the models in front of it.
Table table_of(const MergeRequest& request, const MergeSummary& summary) {
  constexpr int kDigits = 4;
  const std::vector<std::string> names = short_names(request.models);
  const bool summed = !summary.coefficients.empty();
  std::vector<Table::Column> columns = {"model", "norm"};
  if (summed) columns.emplace_back("coefficient");
  for (std::size_t j = 0; j + 1 < names.size(); ++j)
    columns.emplace_back(names[j], "to " + names[j]);
  Table table(columns);
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::vector<Cell> row = {names[i], number(summary.norms[i], kDigits)};
    if (summed) row.push_back(number(summary.coefficients[i], kDigits));
    for (std::size_t j = 0; j < i; ++j) row.push_back(angle(summary.angles[i][j]));
    table.add(row);
  }
  return table;
}

void print_for_people(const MergeRequest& request, const MergeSummary& summary,
                      const Times& times) {
  constexpr int kDigits = 4;
  table_of(request, summary).print(stdout, false);
  std::fputs("\n", stdout);
  Record record;
  record.add("output", summary.output);
  record.add("method", request.method);
  if (!request.base.empty()) record.add("base", request.base + " (" + summary.base_hash + ")");
  record.add("tensors", summary.tensors);
  record.add("parameters", summary.parameters);
  if (!request.probe.empty() && summary.first_loss != 0) {
    record.add("first_loss", "loss at first", number(summary.first_loss, kDigits));
    record.add("last_loss", "loss at last", number(summary.last_loss, kDigits));
  }
  record.add("norm", request.base.empty() ? "norm" : "norm of the change",
             number(summary.norm, kDigits));
  add_times(record, times);
  record.print(stdout, false);
}

void run(const Options& options) {
  MergeRequest request = options.request;
  if (!options.weights.empty()) request.weights = parse_numbers("--weights", options.weights);
  request.control = options.control();
  check(request);
  const Stopwatch watch;
  const MergeSummary summary = load_learn().merge(request);
  const Times times(watch);
  if (options.json) {
    std::puts(json_of(request, summary, times).dump().c_str());
  } else {
    print_for_people(request, summary, times);
  }
}

void add_method_options(CLI::App& verb, Options& options) {
  constexpr double kWhole = 100;
  MergeRequest& request = options.request;
  verb.add_option(
          "--method", request.method,
          "average: the mean of weights; arithmetic: the sum of changes; slerp: between\n"
          "their directions, so that the change keeps its length; ties: the largest\n"
          "changes, where signs differ the stronger side's; fisher: the mean, weighed by\n"
          "how much losses depend on a value; self-positioning, atlas: shares that a search\n"
          "finds, of whole models or of every tensor (default: average)")
      ->type_name("NAME");
  verb.add_option("--probe", request.probe,
                  "Of fisher and searches: a TOML file with [[data]] and [loss] as of a training,\n"
                  "[train] (batch, query_tokens, document_tokens, seed), [search] (steps ...)")
      ->type_name("FILE");
  verb.add_option("--weights", options.weights,
                  "One number a model, commas between; more of models with more. Not for ties and\n"
                  "searches\n"
                  "(default: 1 each)")
      ->type_name("A,B,...");
  verb.add_option_function<double>(
          "--scale", [&request](double scale) { request.scale = scale; },
          "What the merged change is multiplied by before it is added to the base (default: 1)")
      ->check(finite_number())
      ->type_name("X");
  verb.add_option_function<double>(
          "--top", [&request](double top) { request.top = top; },
          "Of ties: percent of each model's changes that count, the largest (default: 20)")
      ->check(number_above(0, kWhole))
      ->type_name("P");
  verb.add_flag("--rescale", request.rescale,
                "Of ties: make the change as long as the models' are, of what counts, in the mean");
}

}  // namespace

void add_model_merge(CLI::App& model) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      model.add_subcommand("merge", "One model of several that were trained from one base");
  verb->add_option("MODEL", options->request.models, "Model folders")->required()->type_name("");
  verb->add_option("--base", options->request.base,
                   "Folder of the model that all were trained from; without it, only average")
      ->type_name("FOLDER");
  add_method_options(*verb, *options);
  verb->add_option("-o,--output", options->request.output, "Folder to write, which must be new")
      ->required()
      ->type_name("FOLDER");
  add_common_options(*verb, *options);
  add_examples(
      *verb,
      "kith model merge run-1 run-2 run-3 -o soup\n"
      "kith model merge search similarity --base base --method slerp -o both\n"
      "kith model merge search similarity --base base --method arithmetic --weights 1,0.5 "
      "--scale 0.8 -o both\n"
      "kith model merge a b c --base base --method ties --top 20 --rescale -o all --json\n"
      "kith model merge a b --base base --method self-positioning --probe probe.toml -o all");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli
