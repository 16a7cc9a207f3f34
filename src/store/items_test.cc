#include "store/items.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "base/test_path.h"
#include "kith/error.h"

namespace kith::store {
namespace {

using testing::HasSubstr;

struct Content {
  std::vector<std::string> ids, records;
  std::vector<Passage> passages;
};

void write(const std::string& path, const Content& content) {
  text::Dictionary ids;
  for (const std::string& id : content.ids) ids.add(id);
  std::vector<std::uint64_t> offsets{0};
  std::string records;
  for (const std::string& record : content.records) {
    records += record;
    offsets.push_back(records.size());
  }
  write_items(path,
              {.ids = ids,
               .record_offsets = offsets,
               .records = records,
               .passages = content.passages,
               .manifest = {{"input", "x"}}},
              {});
}

Content three() {
  return {
      .ids = {"a", "b", ""}, .records = {R"({"text": "one"})", "{}", "{\"x\": 1}"}, .passages = {}};
}

std::string error_of(const std::string& path) {
  try {
    Items::open(path, true);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Items, WhatIsWrittenIsReadBackWhateverItIs) {
  const std::string path = test_path("items.kith");
  EXPECT_TRUE(rc::check([&](const std::map<std::string, std::string>& records, unsigned seed) {
    RC_PRE(!records.empty());
    Content content;
    for (const auto& [id, record] : records) {
      content.ids.push_back(id);
      content.records.push_back(record);
      const auto item = static_cast<std::uint32_t>(content.ids.size() - 1);
      for (unsigned i = 0; i <= (seed + item) % 3; ++i)
        content.passages.push_back({item, i, i + 2});
    }
    if (seed % 2 == 0) content.passages.clear();
    write(path, content);
    const Items items = Items::open(path, true);
    RC_ASSERT(items.size() == records.size());
    RC_ASSERT(items.rows() == (content.passages.empty() ? items.size() : content.passages.size()));
    for (Id item = 0; item < items.size(); ++item) {
      RC_ASSERT(items.id(item) == content.ids[item]);
      RC_ASSERT(items.record(item) == content.records[item]);
      RC_ASSERT(items.find(content.ids[item]) == std::optional<Id>(item));
      for (Id row = items.first_row(item); row < items.first_row(item + 1); ++row) {
        RC_ASSERT(items.item_of(row) == item);
      }
    }
    RC_ASSERT(!items.find("no such id, surely"));
    RC_ASSERT(items.manifest().text("input") == "x");
  }));
  std::filesystem::remove(path);
}

TEST(Items, APassageIsAPartOfTheTextAndNeverBeyondIt) {
  const std::string path = test_path("items.kith");
  Content content = three();
  content.passages = {{0, 0, 3}, {0, 2, 99}, {1, 50, 60}, {2, 0, 0}};
  write(path, content);
  const Items items = Items::open(path, true);
  EXPECT_EQ(items.passage(0, "abcde"), "abc");
  EXPECT_EQ(items.passage(1, "abcde"), "cde");
  EXPECT_EQ(items.passage(2, "abcde"), "");
  EXPECT_EQ(items.passage(3, "abcde"), "");
  std::filesystem::remove(path);
}

TEST(Items, PassagesThatDoNotFollowTheItemsAreRefused) {
  const std::string path = test_path("items.kith");
  Content content = three();
  for (const std::vector<Passage>& wrong :
       {std::vector<Passage>{{0, 0, 1}, {2, 0, 1}}, std::vector<Passage>{{1, 0, 1}},
        std::vector<Passage>{{0, 0, 1}, {1, 2, 1}, {2, 0, 1}},
        std::vector<Passage>{{0, 0, 1}, {1, 0, 1}}}) {
    content.passages = wrong;
    write(path, content);
    EXPECT_THAT(error_of(path), HasSubstr("section passages"));
  }
  std::filesystem::remove(path);
}

TEST(Items, EveryDamagedByteIsFound) {
  const std::string path = test_path("items.kith");
  write(path, three());
  std::ifstream in(path, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  const KithFileReader reader = KithFileReader::open(path, true);
  for (const auto& section : reader.sections()) {
    if (section.bytes.empty()) continue;
    std::string damaged = whole;
    const auto first =
        static_cast<std::size_t>(section.bytes.data() - reader.sections().front().bytes.data());
    damaged[64 * (1 + reader.sections().size()) + first] ^= 1;
    const std::string copy = test_path("damaged.kith");
    std::ofstream(copy, std::ios::binary) << damaged;
    EXPECT_THAT(error_of(copy), HasSubstr("section " + section.name + " at byte")) << section.name;
    std::filesystem::remove(copy);
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace kith::store
