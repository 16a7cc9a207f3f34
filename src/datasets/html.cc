#include "datasets/html.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "datasets/split.h"
#include "text/utf8.h"

namespace kith::datasets {
namespace {

template <std::size_t N>
bool is_one_of(std::string_view name, const std::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

constexpr std::string_view kLeftOut[] = {"head",   "nav",  "header",   "footer", "aside",
                                         "table",  "pre",  "svg",      "form",   "button",
                                         "select", "info", "noscript", "screen"};
constexpr std::string_view kRaw[] = {"script", "style"};  // no markup inside
constexpr std::string_view kInline[] = {
    "a",      "abbr",   "acronym", "app",  "b",   "big",    "cite", "cmd",   "code",
    "dfn",    "em",     "file",    "font", "gui", "guiseq", "i",    "input", "kbd",
    "key",    "keyseq", "link",    "mark", "q",   "s",      "samp", "small", "span",
    "strong", "sub",    "sup",     "sys",  "tt",  "u",      "var",  "wbr"};
// Words in classes and ids of what steers through a site, or marks a heading.
constexpr std::string_view kSteering[] = {
    "navheader",   "navfooter",      "navbar",     "sphinxsidebar", "headerlink",
    "related",     "editsection",    "contentSub", "siteSub",       "toctree",
    "printfooter", "howtogetheader", "\"toc\""};
constexpr std::string_view kHardSpace = "\xc2\xa0";  // U+00A0, which no line breaks at
constexpr std::string_view kVoid[] = {"br", "hr", "img", "input", "link", "meta", "wbr", "base"};

struct Tag {
  std::string name;             // in small letters
  std::string_view attributes;  // as they stand
  bool closes = false, empty = false;
};

// "&amp;" and its like at `at`, which is moved past what was read; a lone "&" is one.
void append_entity(std::string_view text, std::size_t& at, std::string& out) {
  constexpr std::size_t kMost = 10;
  static constexpr std::pair<std::string_view, char32_t> kNames[] = {
      {"amp", U'&'},      {"lt", U'<'},      {"gt", U'>'},      {"quot", U'"'},
      {"apos", U'\''},    {"nbsp", U' '},    {"ndash", 0x2013}, {"mdash", 0x2014},
      {"lsquo", 0x2018},  {"rsquo", 0x2019}, {"ldquo", 0x201c}, {"rdquo", 0x201d},
      {"hellip", 0x2026}, {"times", 0xd7},   {"copy", 0xa9},    {"reg", 0xae},
      {"trade", 0x2122},  {"eacute", 0xe9},  {"uuml", 0xfc},    {"ouml", 0xf6}};
  const std::size_t begin = at++;
  const std::size_t length = text.substr(begin, kMost).find(';');
  if (length == text.npos) return out.push_back('&');
  const std::size_t semicolon = begin + length;
  const std::string_view name = text.substr(begin + 1, semicolon - begin - 1);
  char32_t code = 0;
  if (name.starts_with('#')) {
    const bool hexadecimal = name.size() > 1 && (name[1] == 'x' || name[1] == 'X');
    const std::string_view digits = name.substr(hexadecimal ? 2 : 1);
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number,
                                              hexadecimal ? 16 : 10);
    const bool valid = error == std::errc{} && end == digits.data() + digits.size() &&
                       number <= 0x10ffff && (number < 0xd800 || number > 0xdfff);
    if (valid) code = number == 0xa0 ? U' ' : static_cast<char32_t>(number);
  }
  for (const auto& [known, value] : kNames) {
    if (name == known) code = value;
  }
  if (code == 0) return out.push_back('&');
  text::append_utf8(code, out);
  at = semicolon + 1;
}

class Reader {
 public:
  explicit Reader(std::string_view page) : page_(page) {}

  std::vector<Block> read() {
    while (at_ < page_.size()) {
      if (page_[at_] == '<' && markup()) continue;
      if (!left_out_.empty()) {
        ++at_;
      } else if (page_.substr(at_).starts_with(kHardSpace)) {
        text_ += ' ';
        at_ += kHardSpace.size();
      } else if (page_[at_] == '&') {
        append_entity(page_, at_, text_);
      } else {
        text_ += page_[at_++];
      }
    }
    finish();
    return std::move(blocks_);
  }

 private:
  // A tag, comment or declaration at at_, which is moved past it; false for a "<" that is text.
  bool markup() {
    const std::string_view rest = page_.substr(at_);
    if (rest.starts_with("<!--")) return skip_past("-->", 4);
    if (rest.starts_with("<![CDATA[")) return skip_past("]]>", 9);
    if (rest.starts_with("<!") || rest.starts_with("<?")) return skip_past(">", 2);
    const Tag tag = read_tag();
    if (tag.name.empty()) return false;
    use(tag);
    return true;
  }

  bool skip_past(std::string_view end, std::size_t from) {
    const std::size_t found = page_.find(end, at_ + from);
    at_ = found == page_.npos ? page_.size() : found + end.size();
    return true;
  }

  Tag read_tag() {
    Tag tag;
    std::size_t i = at_ + 1;
    tag.closes = i < page_.size() && page_[i] == '/';
    if (tag.closes) ++i;
    for (; i < page_.size(); ++i) {
      const char c = page_[i];
      const bool capital = c >= 'A' && c <= 'Z';
      const bool letter = capital || (c >= 'a' && c <= 'z');
      const bool later = (c >= '0' && c <= '9') || c == '-' || c == ':';
      if (!letter && (tag.name.empty() || !later)) break;
      tag.name += capital ? static_cast<char>(c - 'A' + 'a') : c;
    }
    if (tag.name.empty()) return tag;
    const std::size_t begin = i;
    for (char quote = 0; i < page_.size() && (quote != 0 || page_[i] != '>'); ++i) {
      if (quote != 0) {
        if (page_[i] == quote) quote = 0;
      } else if (page_[i] == '"' || page_[i] == '\'') {
        quote = page_[i];
      }
    }
    tag.attributes = page_.substr(begin, i - begin);
    tag.empty = tag.attributes.ends_with('/') || is_one_of(tag.name, kVoid);
    at_ = std::min(i + 1, page_.size());
    return tag;
  }

  void use(const Tag& tag) {
    if (!tag.closes && is_one_of(tag.name, kRaw)) {
      skip_past("</" + tag.name, 0);
      skip_past(">", 0);
    } else if (!left_out_.empty()) {
      if (tag.name == left_out_ && !tag.empty) depth_ += tag.closes ? -1 : 1;
      if (depth_ == 0) left_out_.clear();
    } else if (!tag.closes && !tag.empty && is_left_out(tag)) {
      left_out_ = tag.name;
      depth_ = 1;
    } else if (!is_one_of(tag.name, kInline)) {
      begin_block(tag);
    }
  }

  static bool is_left_out(const Tag& tag) {
    return is_one_of(tag.name, kLeftOut) ||
           std::any_of(std::begin(kSteering), std::end(kSteering), [&](std::string_view word) {
             return tag.attributes.find(word) != std::string_view::npos &&
                    (tag.attributes.find("class=") != std::string_view::npos ||
                     tag.attributes.find("id=") != std::string_view::npos) &&
                    tag.name != "body";
           });
  }

  void begin_block(const Tag& tag) {
    if (tag.name == "br") {
      text_ += ' ';
      return;
    }
    finish();
    if (tag.name == "section") sections_ = std::max(0, sections_ + (tag.closes ? -1 : 1));
    if (tag.closes) return;
    const bool numbered =
        tag.name.size() == 2 && tag.name[0] == 'h' && tag.name[1] >= '1' && tag.name[1] <= '6';
    if (numbered) level_ = tag.name[1] - '0';
    if (tag.name == "title") level_ = std::min(1 + sections_, 6);
  }

  void finish() {
    std::string text = squeeze(text_);
    if (!text.empty()) blocks_.push_back({level_, std::move(text)});
    text_.clear();
    level_ = 0;
  }

  const std::string_view page_;
  std::size_t at_ = 0;
  std::string text_;
  int level_ = 0;
  int sections_ = 0;      // that are open
  std::string left_out_;  // the element that is passed over; empty: none
  int depth_ = 0;         // of elements of its name
  std::vector<Block> blocks_;
};

}  // namespace

std::vector<Block> parse_html(std::string_view page) { return Reader(page).read(); }

}  // namespace kith::datasets
