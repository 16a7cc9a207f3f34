#include "text/porter.h"

#include <gtest/gtest.h>

namespace kith::text {
namespace {

std::string stem(std::string word) {
  porter_stem(word);
  return word;
}

// The words with which the paper illustrates its rules, taken through all steps.
TEST(Porter, StemsThePapersExamples) {
  const std::pair<const char*, const char*> kExamples[] = {// step 1a
                                                           {"caresses", "caress"},
                                                           {"ponies", "poni"},
                                                           {"ties", "ti"},
                                                           {"caress", "caress"},
                                                           {"cats", "cat"},
                                                           // step 1b
                                                           {"feed", "feed"},
                                                           {"agreed", "agre"},
                                                           {"plastered", "plaster"},
                                                           {"bled", "bled"},
                                                           {"motoring", "motor"},
                                                           {"sing", "sing"},
                                                           {"conflated", "conflat"},
                                                           {"troubled", "troubl"},
                                                           {"sized", "size"},
                                                           {"hopping", "hop"},
                                                           {"tanned", "tan"},
                                                           {"falling", "fall"},
                                                           {"hissing", "hiss"},
                                                           {"fizzed", "fizz"},
                                                           {"failing", "fail"},
                                                           {"filing", "file"},
                                                           // step 1c
                                                           {"happy", "happi"},
                                                           {"sky", "sky"},
                                                           // step 2
                                                           {"relational", "relat"},
                                                           {"conditional", "condit"},
                                                           {"rational", "ration"},
                                                           {"valenci", "valenc"},
                                                           {"hesitanci", "hesit"},
                                                           {"digitizer", "digit"},
                                                           {"conformabli", "conform"},
                                                           {"radicalli", "radic"},
                                                           {"differentli", "differ"},
                                                           {"vileli", "vile"},
                                                           {"analogousli", "analog"},
                                                           {"vietnamization", "vietnam"},
                                                           {"predication", "predic"},
                                                           {"operator", "oper"},
                                                           {"feudalism", "feudal"},
                                                           {"decisiveness", "decis"},
                                                           {"hopefulness", "hope"},
                                                           {"callousness", "callous"},
                                                           {"formaliti", "formal"},
                                                           {"sensitiviti", "sensit"},
                                                           {"sensibiliti", "sensibl"},
                                                           // step 3
                                                           {"triplicate", "triplic"},
                                                           {"formative", "form"},
                                                           {"formalize", "formal"},
                                                           {"electriciti", "electr"},
                                                           {"electrical", "electr"},
                                                           {"hopeful", "hope"},
                                                           {"goodness", "good"},
                                                           // step 4
                                                           {"revival", "reviv"},
                                                           {"allowance", "allow"},
                                                           {"inference", "infer"},
                                                           {"airliner", "airlin"},
                                                           {"gyroscopic", "gyroscop"},
                                                           {"adjustable", "adjust"},
                                                           {"defensible", "defens"},
                                                           {"irritant", "irrit"},
                                                           {"replacement", "replac"},
                                                           {"adjustment", "adjust"},
                                                           {"dependent", "depend"},
                                                           {"adoption", "adopt"},
                                                           {"homologou", "homolog"},
                                                           {"communism", "commun"},
                                                           {"activate", "activ"},
                                                           {"angulariti", "angular"},
                                                           {"homologous", "homolog"},
                                                           {"effective", "effect"},
                                                           {"bowdlerize", "bowdler"},
                                                           // step 5
                                                           {"probate", "probat"},
                                                           {"rate", "rate"},
                                                           {"cease", "ceas"},
                                                           {"controll", "control"},
                                                           {"roll", "roll"},
                                                           // several steps
                                                           {"generalizations", "gener"},
                                                           {"oscillators", "oscil"}};
  for (const auto& [word, expected] : kExamples) EXPECT_EQ(stem(word), expected) << word;
}

TEST(Porter, LeavesShortWordsAndOtherAlphabetsAlone) {
  for (const char* word : {"", "a", "is", "as", "don't", "caf\xc3\xa9s", "x86s", "1990s"}) {
    EXPECT_EQ(stem(word), word);
  }
}

}  // namespace
}  // namespace kith::text
