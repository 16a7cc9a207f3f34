// What WordNet's lexicographers' files are about, by their numbers (Synset::lexicographer).
#pragma once

namespace kith::papers {

inline constexpr const char* kLexicographers[] = {
    "adjective",     "pertainym",    "adverb",         "top of nouns", "act",
    "animal",        "artifact",     "attribute",      "body",         "cognition",
    "communication", "event",        "feeling",        "food",         "group",
    "location",      "motive",       "object",         "person",       "phenomenon",
    "plant",         "possession",   "process",        "quantity",     "relation",
    "shape",         "state",        "substance",      "time",         "to be of the body",
    "to change",     "to think",     "to communicate", "to compete",   "to consume",
    "to touch",      "to create",    "to feel",        "to move",      "to perceive",
    "to possess",    "to be social", "to be",          "weather",      "participle"};

}  // namespace kith::papers
