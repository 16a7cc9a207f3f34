#include "json/json.h"

#include <gtest/gtest.h>

namespace kith {
namespace {

// Runs `read` on the document and returns what it throws.
template <class Read>
std::string error_of(const char* text, const Read& read) {
  try {
    read(Json::parse(text, "a.json"));
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Json, ErrorsNameTheFileThePlaceTheValueAndWhatWasExpected) {
  const char* text = R"({"a": {"b": [1, {"c": -5}]}, "n": null, "word": "odd"})";
  const auto inner = [](const Json& json) { return json.required("a").required("b").element(1); };
  EXPECT_EQ(error_of(text, [&](const Json& j) { inner(j).whole("c", 1, 9); }),
            "a.json: a.b[1].c: -5, expected a whole number from 1 to 9");
  EXPECT_EQ(error_of(text, [&](const Json& j) { inner(j).number("d", 0, 1); }),
            "a.json: a.b[1].d: missing, expected a number from 0 to 1");
  EXPECT_EQ(error_of(text, [&](const Json& j) { inner(j).member("c").whole(); }),
            "a.json: a.b[1].c: expected a whole number from 0 to 4294967295");
  EXPECT_EQ(error_of(text, [](const Json& j) { j.text("a"); }),
            R"(a.json: a: {"b":[1,{"c":-5}]}, expected a string)");
  EXPECT_EQ(error_of(text, [](const Json& j) { j.required("n"); }), "a.json: n: missing");
  EXPECT_EQ(error_of(text,
                     [](const Json& j) {
                       j.word("word", {"one", "two"}, 0);
                     }),
            "a.json: word: 'odd', expected one of one, two");
  EXPECT_EQ(error_of(text,
                     [](const Json& j) {
                       j.expect_text("word", {"one", "two"});
                     }),
            R"(a.json: word: "odd", expected one, two)");
}

TEST(Json, WhatIsNullIsAbsent) {
  const Json json = Json::parse(R"({"n": null, "x": 2.5})", "a.json");
  EXPECT_FALSE(json.has("n"));
  EXPECT_EQ(json.number("n", 0, 1, 0.5), 0.5);
  EXPECT_EQ(json.number("x", 0, 9), 2.5);
  EXPECT_EQ(json.text("n", "else"), "else");
  EXPECT_TRUE(json.boolean("none", true));
}

TEST(Json, ValuesOutliveTheDocumentTheyWereTakenFrom) {
  const Json inner = Json::parse(R"({"a": ["text"]})", "a.json").required("a").element(0);
  EXPECT_EQ(inner.text(), "text");
}

TEST(Json, ADocumentIsOneObject) {
  const auto nothing = [](const Json&) {};
  EXPECT_EQ(error_of("[]", nothing), "a.json: not a JSON object");
  EXPECT_EQ(error_of("{\"a\": }", nothing), "a.json: not a JSON object: malformed at byte 7");
  EXPECT_EQ(error_of("", nothing), "a.json: not a JSON object: malformed at byte 1");
}

}  // namespace
}  // namespace kith
