#include "text/tokenizer/normaliser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "text/tokenizer/charsmap.h"

namespace kith::tokenizer {
namespace {

using nlohmann::json;

std::string normalised(const json& document, std::string text) {
  read_normaliser(Json(document, "normalizer"))->apply(text);
  return text;
}

TEST(Normaliser, BertCleansSpacesLowersAndStripsAccents) {
  EXPECT_EQ(normalised({{"type", "BertNormalizer"}}, "A\x01\tB\u00ad\u00c9\u4e2dx"),
            "a be \u4e2d x");
  EXPECT_EQ(normalised({{"type", "BertNormalizer"}, {"lowercase", false}}, "\u00c9"), "\u00c9");
  EXPECT_EQ(normalised({{"type", "BertNormalizer"}, {"strip_accents", false}}, "\u00c9"), "\u00e9");
  EXPECT_EQ(normalised({{"type", "BertNormalizer"}, {"clean_text", false}}, "a\tb"), "a\tb");
  EXPECT_EQ(normalised({{"type", "BertNormalizer"}, {"handle_chinese_chars", false}}, "\u4e2d"),
            "\u4e2d");
}

TEST(Normaliser, EachTypeDoesItsOneThing) {
  EXPECT_EQ(normalised({{"type", "NFKD"}}, "\ufb01\u00e9"), "fie\u0301");
  EXPECT_EQ(normalised({{"type", "Lowercase"}}, "\u00c9A"),
            "\u00e9"
            "a");
  EXPECT_EQ(normalised({{"type", "Strip"}, {"strip_right", false}}, " a "), "a ");
  EXPECT_EQ(normalised({{"type", "StripAccents"}}, "e\u0301"), "e");
  EXPECT_EQ(normalised({{"type", "Prepend"}, {"prepend", "\u2581"}}, "a"),
            "\u2581"
            "a");
  EXPECT_EQ(normalised({{"type", "Prepend"}, {"prepend", "\u2581"}}, ""), "");
  EXPECT_EQ(normalised({{"type", "Nmt"}},
                       "a\x01\u200b"
                       "b\tc"),
            "a b c");
  EXPECT_EQ(normalised({{"type", "ByteLevel"}}, " \u00e9"), "\u0120\u00c3\u00a9");
}

TEST(Normaliser, ReplaceTakesContentLiterally) {
  EXPECT_EQ(normalised({{"type", "Replace"}, {"pattern", {{"String", "``"}}}, {"content", "\""}},
                       "``a``"),
            "\"a\"");
  EXPECT_EQ(normalised({{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", "$0"}},
                       "a   b"),
            "a$0b");
  // White space as Oniguruma has it: U+000B and U+0085 too.
  EXPECT_EQ(normalised({{"type", "Replace"}, {"pattern", {{"Regex", "[\\s]"}}}, {"content", "_"}},
                       "a\x0b\u0085"),
            "a__");
}

TEST(Normaliser, SequencesRunInOrderAndUnknownTypesAreNamed) {
  EXPECT_EQ(normalised({{"type", "Sequence"},
                        {"normalizers",
                         {{{"type", "NFD"}}, {{"type", "StripAccents"}}, {{"type", "Lowercase"}}}}},
                       "\u00c9"),
            "e");
  try {
    normalised({{"type", "Sequence"}, {"normalizers", {{{"type", "Odd"}}}}}, "");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_STREQ(error.what(), "normalizer: normalizers[0]: normalizer 'Odd' is not known");
  }
}

using Replacements = std::map<std::string, std::string>;

// A double array for a few short keys, by trying every offset; positions of texts are their values.
class DoubleArray {
 public:
  explicit DoubleArray(const Replacements& replacements) : units_(4096) {
    used_.resize(units_.size());
    used_[0] = true;
    std::map<std::string, std::uint32_t> values;
    for (const auto& [key, text] : replacements) {
      values[key] = static_cast<std::uint32_t>(texts_.size());
      texts_.append(text).push_back('\0');
    }
    place(0, "", values);
  }

  std::string base64() const {
    std::string bytes(4 + units_.size() * 4, '\0');
    const auto size = static_cast<std::uint32_t>(units_.size() * 4);
    std::memcpy(bytes.data(), &size, 4);
    std::memcpy(bytes.data() + 4, units_.data(), size);
    bytes += texts_;
    constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
      std::uint32_t group = 0;
      for (std::size_t j = 0; j < 3; ++j) {
        group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0);
      }
      for (int shift = 18; shift >= 0; shift -= 6) out += kDigits[group >> shift & 63];
    }
    return out;
  }

 private:
  void place(std::size_t at, const std::string& prefix,
             const std::map<std::string, std::uint32_t>& values) {
    std::map<unsigned char, bool> next;
    for (const auto& [key, value] : values) {
      if (key.size() > prefix.size() && key.starts_with(prefix))
        next[static_cast<unsigned char>(key[prefix.size()])] = true;
    }
    const bool leaf = values.contains(prefix);
    if (leaf) next[0] = true;
    std::uint32_t offset = 1;
    const auto fits = [&] {
      for (const auto& [byte, unused] : next) {
        if (used_[at ^ offset ^ byte]) return false;
      }
      return true;
    };
    while (!fits()) ++offset;
    units_[at] |= offset << 10 | (leaf ? 1u << 8 : 0);
    for (const auto& [byte, unused] : next) {
      const std::size_t to = at ^ offset ^ byte;
      used_[to] = true;
      units_[to] = byte;
    }
    for (const auto& [byte, unused] : next) {
      const std::size_t to = at ^ offset ^ byte;
      if (byte == 0) {
        units_[to] = values.at(prefix) | 0x80000000u;
      } else {
        place(to, prefix + static_cast<char>(byte), values);
      }
    }
  }

  std::vector<std::uint32_t> units_;
  std::vector<bool> used_;
  std::string texts_;
};

TEST(Charsmap, ReplacesCharactersAndWholeGraphemes) {
  const Charsmap map(
      DoubleArray(
          Replacements{{"\ufb01", "fi"}, {"\t", " "}, {"e\u0301", "\u00e9"}, {"\u00ad", ""}})
          .base64(),
      "map");
  EXPECT_EQ(map.apply("\ufb01n\te\u0301\u00adx"), "fin \u00e9x");
  EXPECT_EQ(map.apply("plain"), "plain");
  EXPECT_EQ(map.apply("\r\n\t"), "\r\n ");
  EXPECT_EQ(map.apply(""), "");
}

TEST(Charsmap, RefusesDamagedTables) {
  const std::string whole = DoubleArray(Replacements{{"a", "b"}}).base64();
  EXPECT_THROW(Charsmap("", "map"), Error);
  EXPECT_THROW(Charsmap("!!!!", "map"), Error);
  EXPECT_THROW(Charsmap(whole.substr(0, 100), "map"), Error);
}

}  // namespace
}  // namespace kith::tokenizer
