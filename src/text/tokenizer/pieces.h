// A text cut into pieces that lie one after the other in one buffer, so that cutting allocates
// nothing once the buffers have grown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kith::tokenizer {

class Pieces {
 public:
  void clear() {
    text_.clear();
    ends_.clear();
  }
  // Empty pieces are left out.
  void add(std::string_view piece) {
    text_.append(piece);
    end_piece();
  }
  // Bytes of the piece that end_piece() ends.
  std::string& open() { return text_; }
  void end_piece() {
    if (text_.size() != (ends_.empty() ? 0 : ends_.back())) ends_.push_back(text_.size());
  }

  std::size_t size() const { return ends_.size(); }
  std::string_view operator[](std::size_t i) const {
    const std::size_t start = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(text_).substr(start, ends_[i] - start);
  }

 private:
  std::string text_;
  std::vector<std::size_t> ends_;
};

}  // namespace kith::tokenizer
