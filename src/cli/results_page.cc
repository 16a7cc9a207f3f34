#include "cli/results_page.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>

namespace kith::cli {
namespace {

constexpr char kPageHead[] =
    "# Results\n\n"
    "Published methods, reproduced: each section is written by `kith papers run SLUG --markdown\n"
    "docs/results.md`. Tables hold means over seeds ± half of the 95 % interval. A claim is "
    "shown,\n"
    "refuted or undecided by a rule that stood in the reproduction's source before it was run.\n"
    "Sections on codecs are written by `kith bench codecs BASE QUERIES --markdown "
    "docs/results.md`.\n"
    "Times are those of the machine of the run, which other work may have shared, and count what "
    "earlier\nruns spent on models that were found in the cache.\n";

}  // namespace

std::string read_results_page(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return kPageHead;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string put_section(const std::string& page, const std::string& slug,
                        const std::string& section) {
  constexpr std::string_view kHeading = "\n## ";
  std::size_t begin = page.find(kHeading);
  while (begin != std::string::npos) {
    const std::size_t name = begin + kHeading.size();
    const std::string here = page.substr(name, page.find('\n', name) - name);
    if (here >= slug) {
      const std::size_t next = here == slug ? page.find(kHeading, name) : begin;
      const std::string rest = next == std::string::npos ? "" : page.substr(next);
      std::string put = page.substr(0, begin + 1);
      put += section;
      put += rest;
      return put;
    }
    begin = page.find(kHeading, name);
  }
  return page + "\n" + section;
}

std::string put_row(const std::string& page, const std::string& slug, const std::string& row) {
  constexpr std::string_view kHead =
      "| method | first claim | found | verdict | shown, refuted, undecided | command | processor "
      "time |\n"
      "|---|---|---|---|---|---|---:|\n";
  const std::size_t sections = page.find("\n## ");
  const std::size_t begin = page.find(kHead);
  if (begin == std::string::npos || begin > sections) {
    const std::size_t place = std::min(sections, page.size());
    std::string put = page.substr(0, place) + '\n';
    put += kHead;
    return put + row + page.substr(place);
  }
  std::size_t line = begin + kHead.size();
  for (; page[line] == '|'; line = page.find('\n', line) + 1) {
    const std::size_t open = page.find('[', line) + 1;
    const std::string here = page.substr(open, page.find(']', open) - open);
    if (here < slug) continue;
    const std::size_t rest = here == slug ? page.find('\n', line) + 1 : line;
    return page.substr(0, line) + row + page.substr(rest);
  }
  return page.substr(0, line) + row + page.substr(line);
}

}  // namespace kith::cli
