// Codecs whose vectors are records: what is taken out of one and put into another is the same.
#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"
#include "codec/any.h"

namespace kith {
namespace {

template <class C>
void expect_the_same(const C& codec, std::size_t dim, std::size_t rows,
                     const std::vector<float>& query) {
  C other = codec.without_rows();
  EXPECT_EQ(other.size(), 0u);
  other.resize(rows);
  std::vector<std::byte> record(codec.record_bytes());
  typename C::Query there, here;
  codec.prepare(query.data(), there);
  other.prepare(query.data(), here);
  std::vector<float> before(dim), after(dim);
  for (Id id = 0; id < rows; ++id) {
    const Id to = static_cast<Id>(rows - 1) - id;
    codec.get_record(id, record.data());
    other.put_record(to, record.data());
    codec.decode(id, before.data());
    other.decode(to, after.data());
    EXPECT_EQ(before, after);
    float expected[2], seen[2];
    codec.score(there, &id, 1, expected);
    codec.score_best(there, &id, 1, expected + 1);
    other.score(here, &to, 1, seen);
    other.score_best(here, &to, 1, seen + 1);
    EXPECT_EQ(expected[0], seen[0]);
    EXPECT_EQ(expected[1], seen[1]);
  }
}

TEST(CodecWithRecords, BringsAVectorBackAsItWas) {
  constexpr std::size_t kRows = 40;
  for (const std::size_t dim : {1u, 7u, 33u, 96u}) {
    for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
      for (const std::string name : {"f32", "f16", "bf16", "u8", "i8", "sq8", "lvq4", "lvq8",
                                     "lvq4x4", "lvq4x8", "lvq8x8", "signs100"}) {
        if (bits_word(name) && metric != Metric::cosine) continue;
        Matrix<float> rows(kRows, dim);
        Random random(dim);
        for (std::size_t i = 0; i < kRows; ++i) {
          for (std::size_t j = 0; j < dim; ++j) {
            rows(i, j) = static_cast<float>(random.below(100));  // bytes, too
          }
        }
        AnyCodec any = make_codec(name, dim, metric);
        std::visit(
            [&]<class C>(C& codec) {
              if constexpr (CodecWithRecords<C>) {
                codec.train(rows.view());
                codec.resize(kRows);
                for (Id id = 0; id < kRows; ++id) codec.encode(id, rows.row(id));
                expect_the_same(codec, dim, kRows, std::vector<float>(dim, 3));
              } else {
                ADD_FAILURE() << name << " has no records";
              }
            },
            any);
      }
    }
  }
}

}  // namespace
}  // namespace kith
