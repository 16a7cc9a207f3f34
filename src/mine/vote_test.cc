#include "mine/vote.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kith/error.h"

namespace kith::mine {
namespace {

// Texts are numbers, vectors their angles in degrees.
class Angles : public Embedder {
 public:
  std::string name() const override { return "angles"; }
  Matrix<float> embed(const TextPart& part, std::span<const std::uint32_t> which,
                      const Control&) override {
    Matrix<float> vectors(which.size(), 2);
    for (std::size_t i = 0; i < which.size(); ++i) {
      const double angle = std::stod(part.texts[which[i]]) / 57.29577951;
      vectors(i, 0) = static_cast<float>(3 * std::cos(angle));
      vectors(i, 1) = static_cast<float>(3 * std::sin(angle));
    }
    return vectors;
  }
};

std::uint32_t one(const Ballot& ballot, std::vector<Embedder*> members, bool majority = false) {
  VoteOptions options;
  options.majority = majority;
  return vote({&ballot, 1}, members, options)[0];
}

TEST(Vote, OfAnEmbedderGoesToTheNearestCandidate) {
  Angles angles;
  EXPECT_EQ(one({"40", {"90", "35", "10"}}, {&angles}), 1u);
  EXPECT_EQ(one({"40", {"45", "45"}}, {&angles}), 0u) << "of equals the first";
}

TEST(Vote, OfBm25GoesToSharedRareWords) {
  EXPECT_EQ(one({"a kind of dog", {"a kind of tree", "A Dog of a kind", "a of"}}, {nullptr}), 1u);
  EXPECT_EQ(one({"nothing shared", {"x", "y"}}, {nullptr}), 0u);
}

TEST(Vote, SumsMembersConvictionsOrCountsTheirChoices) {
  Angles angles;
  // One member is sure of the last, two prefer the first by little.
  const Ballot ballot{"0", {"2", "60", "1"}};
  class Fixed : public Angles {
   public:
    explicit Fixed(double shift) : shift_(shift) {}
    Matrix<float> embed(const TextPart& part, std::span<const std::uint32_t> which,
                        const Control& control) override {
      TextPart moved = part;
      if (part.name == "positives") {
        for (std::string& text : moved.texts) text = std::to_string(std::stod(text) + shift_);
      }
      return Angles::embed(moved, which, control);
    }

   private:
    double shift_;
  };
  Fixed first(1.6), second(1.6), sure(-40);
  EXPECT_EQ(one(ballot, {&first, &second, &sure}, true), 0u);
  EXPECT_EQ(one(ballot, {&first, &second, &sure}, false), 2u);
}

TEST(Vote, NeedsMembersAndCandidates) {
  Angles angles;
  EXPECT_THROW(one({"1", {"2"}}, {}), Error);
  EXPECT_THROW(one({"1", {}}, {&angles}), Error);
}

}  // namespace
}  // namespace kith::mine
