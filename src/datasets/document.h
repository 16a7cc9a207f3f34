// Documents with headings, whatever format they were written in.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kith::datasets {

struct Block {
  int level = 0;     // 1 to 6: a heading, 1 the highest; 0: a paragraph
  std::string text;  // with single spaces for white space, never empty
};

struct Passage {
  std::vector<std::string> path;  // the headings that it stands beneath, the highest first
  std::string text;               // its paragraphs, apart by "\n"
};

// What stands beneath each heading, up to the next heading of any level; of a long one the
// paragraphs that fit into `most_letters`, the first whole in any case. Numbers of headings are
// left out ("7.6. Limits"); what stands before the first heading and headings with nothing beneath
// give no passage.
std::vector<Passage> passages(const std::vector<Block>& blocks, std::size_t most_letters);

// The headings, apart by ": ".
std::string joined_path(const Passage& passage);

// The text up to the end of the last sentence that fits into `most_letters`, or of the last word.
std::string shortened(const std::string& text, std::size_t most_letters);

// The paragraphs of a text (blank lines are between them) as pieces of at most `most_letters`: as
// many whole paragraphs as fit, long ones in parts that end with a sentence.
std::vector<std::string> pieces(std::string_view text, std::size_t most_letters);

}  // namespace kith::datasets
