// Readers of what packages hold, the programs that fetch them, and splits; nothing is fetched.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/test_error.h"
#include "base/test_path.h"
#include "datasets/catalogue.h"
#include "datasets/debian.h"
#include "datasets/dictd.h"
#include "datasets/gzip.h"
#include "datasets/package_names.h"
#include "datasets/packages.h"
#include "datasets/process.h"
#include "datasets/r_data.h"
#include "datasets/roff.h"
#include "datasets/split.h"
#include "datasets/taxonomy.h"
#include "datasets/wordnet.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Files : public testing::Test {
 protected:
  Files() { std::filesystem::create_directories(folder_); }
  ~Files() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  const std::string folder_ = test_path("datasets");
};

TEST_F(Files, PackagesHaveSectionsSourcesAndTags) {
  const std::string file =
      write("Packages",
            "Package: one\nSource: both (1.2)\nSection: libs\nTag: role::program,\n use::editing\n"
            "Priority: optional\n\nPackage: two\nSection: doc\n");
  const auto packages = read_packages(file);
  ASSERT_EQ(packages.size(), 2u);
  EXPECT_EQ(packages.at("one").source, "both");
  EXPECT_THAT(packages.at("one").tags, ElementsAre("role::program", "use::editing"));
  EXPECT_EQ(packages.at("two").source, "two");
  EXPECT_EQ(packages.at("two").section, "doc");
  EXPECT_THAT(error_of([&] { read_packages(write("none", "\n")); }), HasSubstr("no package"));
  EXPECT_THAT(error_of([&] { packages_file(folder_); }), HasSubstr("Packages"));
}

TEST_F(Files, PackagesHaveNamesThatTheyDependOn) {
  const std::string file =
      write("Packages",
            "Package: one\nDepends: libc6 (>= 2.34), python3:any, postfix | mail-server,\n"
            "Recommends: two\nSuggests: three\n\n");
  EXPECT_THAT(read_packages(file).at("one").depends,
              ElementsAre("libc6", "python3", "postfix", "two"));
}

TEST(Names, OfOneThingHaveOneStem) {
  for (const char* name : {"libpng16-16", "libpng-dev", "libpng-doc", "png", "python3-png"}) {
    EXPECT_EQ(stem_of(name), "png") << name;
  }
  EXPECT_EQ(stem_of("lib"), "lib");
  EXPECT_EQ(stem_of("7"), "7");
  EXPECT_EQ(stem_of(""), "");
}

TEST(Names, AreTakenOutOfTextsAsWords) {
  const std::vector<std::string> names = {"libpng16-16"};
  EXPECT_EQ(without_names("PNG, libpng16-16 and pngs; a png", names), ",  and pngs; a ");
  EXPECT_EQ(without_names("a b", {"b", "xy"}), "a ");
  EXPECT_EQ(without_names("ab", {"lib7"}), "ab");
}

TEST_F(Files, DescriptionsWithOneSumAreOne) {
  const std::string file =
      write("Translation-en",
            "Package: a\nDescription-md5: 1\nDescription-en: short\n long one\n"
            " goes on\n .\n second\n\n"
            "Package: b\nDescription-md5: 1\nDescription-en: short\n long\n");
  const std::vector<Description> found = read_descriptions(file);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].packages, ElementsAre("a", "b"));
  EXPECT_THAT(found[0].paragraphs, ElementsAre("long one goes on", "second"));
}

TEST(Manual, SectionsArePlainText) {
  const std::vector<ManualSection> sections = parse_manual(
      ".\\\" a comment\n.TH epoll 7 2023\n.SH NAME\nepoll \\- I/O event \\fBnotification\\fP\n"
      ".SH \"SEE ALSO\"\n.BR poll (2),\n.BR select (2)\n.SH NOTES\n.I \"two words\"\n"
      "\\(aqquoted\\(aq and \\[bu] a \\e slash\\\" rest\n.SS More\n.nf\nint x;\n");
  ASSERT_EQ(sections.size(), 3u);
  EXPECT_EQ(sections[0].title, "NAME");
  EXPECT_EQ(sections[0].text, "epoll - I/O event notification");
  EXPECT_EQ(sections[1].title, "SEE ALSO");
  EXPECT_EQ(sections[1].text, "poll(2), select(2)");
  EXPECT_EQ(sections[2].text, "two words 'quoted' and a \\ slash More int x;");
}

TEST(Manual, AnyBytesAreTaken) {
  for (const char* text :
       {"\\", ".SH", ".BR \"", "\\f", "\\(", "\\[", ".SH x\n\\*", ".SH x\n\\s+"}) {
    parse_manual(text);
  }
  EXPECT_TRUE(parse_manual("text before any heading").empty());
}

TEST(Manual, ReferencesNameSections) {
  EXPECT_THAT(references("poll(2), epoll_create (2), see f(x), (7), printf(3p)."),
              ElementsAre("poll(2)", "epoll_create(2)", "printf(3p)"));
}

TEST(Dictionary, EntriesAreCutOutByTheIndex) {
  const auto entries = parse_dictionary(
      "x.index", "00-database-info\tA\tB\nabc\tB\tC\nzoo\tD\tB\toriginal\n", "aBBzrest");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].headword, "abc");
  EXPECT_EQ(entries[0].text, "BB");
  EXPECT_EQ(entries[1].text, "z");
  EXPECT_THAT(error_of([] { parse_dictionary("x.index", "a\tB\n", ""); }), HasSubstr("line 1"));
  EXPECT_THAT(error_of([] { parse_dictionary("x.index", "a\tB\tZ\n", "abc"); }),
              HasSubstr("beyond the end"));
  EXPECT_THAT(error_of([] { parse_dictionary("x.index", "a\t!\tB\n", "abc"); }),
              HasSubstr("base 64"));
}

TEST(Dictionary, DefinitionsCanLoseTheirWord) {
  EXPECT_EQ(without_word("A cat is a Cat, not a catalogue.", "cat"), "A  is a , not a catalogue.");
  EXPECT_EQ(without_word("nothing", ""), "nothing");
}

TEST(WordNet, SynsetsHaveWordsHypernymsAndDefinitions) {
  const std::vector<Synset> synsets = parse_synsets(
      "data.noun",
      "  1 a licence line\n"
      "00001740 03 n 01 entity 0 001 ~ 00001930 n 0000 | that which is; \"an entity\"  \n"
      "00001930 03 n 02 physical_entity 0 thing 1 002 @ 00001740 n 0000 + 2 v 0101 | a body  \n");
  ASSERT_EQ(synsets.size(), 2u);
  EXPECT_EQ(synsets[0].definition, "that which is");
  EXPECT_THAT(synsets[0].examples, ElementsAre("an entity"));
  EXPECT_TRUE(synsets[0].hypernyms.empty());
  EXPECT_THAT(synsets[1].words, ElementsAre("physical entity", "thing"));
  EXPECT_THAT(synsets[1].hypernyms, ElementsAre(1740));
  EXPECT_EQ(synsets[1].lexicographer, 3u);
  EXPECT_THAT(error_of([] { parse_synsets("data.noun", "00001740 03 n 02 entity | x"); }),
              HasSubstr("data.noun: line 1: "));
  EXPECT_THAT(error_of([] { parse_synsets("data.noun", "x 03 n 01 entity 0 000 | x"); }),
              HasSubstr("'x', expected a number"));
}

TEST(WordNet, NearSynsetsAreSimilar) {
  // 1 - 2 - 4, 1 - 3, and 5 by itself; the root above 1 and 5 is the place of nothing.
  std::vector<Synset> synsets(5);
  for (std::uint32_t i = 0; i < 5; ++i) synsets[i].offset = i + 1;
  synsets[1].hypernyms = synsets[2].hypernyms = {1};
  synsets[3].hypernyms = {2};
  const Taxonomy taxonomy(synsets);
  EXPECT_DOUBLE_EQ(taxonomy.similarity(3, 3), 1);
  EXPECT_DOUBLE_EQ(taxonomy.similarity(1, 3), 6.0 / 7);  // 2 is above both, third from the root
  EXPECT_DOUBLE_EQ(taxonomy.similarity(2, 3), 4.0 / 7);
  EXPECT_DOUBLE_EQ(taxonomy.similarity(3, 2), 4.0 / 7);
  EXPECT_DOUBLE_EQ(taxonomy.similarity(4, 3), 2.0 / 6);
  synsets[0].hypernyms = {4};
  EXPECT_THAT(error_of([&] { Taxonomy circular(synsets); }), HasSubstr("circle"));
  synsets[0].hypernyms = {9};
  EXPECT_THAT(error_of([&] { Taxonomy missing(synsets); }), HasSubstr("hypernym 9"));
}

// Pieces of R's binary serialisation.
std::string raw(const char* bytes, std::size_t size) { return {bytes, size}; }
std::string chars(const std::string& text) {
  return raw("\0\4\0\t\0\0\0", 7) + static_cast<char>(text.size()) + text;
}
std::string tag(const std::string& name) { return raw("\0\0\0\1", 4) + chars(name); }
std::string r_head() { return raw("X\n\0\0\0\2\0\4\0\0\0\2\3\0", 14); }

// serialize(list(a = c("x", "y"), f = factor("great")), NULL, version = 2), by hand.
std::string r_list() {
  const std::string pair = raw("\0\0\4\2", 4), end = raw("\0\0\0\376", 4);
  const std::string two = raw("\0\0\0\20\0\0\0\2", 8), one = raw("\0\0\0\20\0\0\0\1", 8);
  const std::string factor = raw("\0\0\3\15\0\0\0\2\0\0\0\1\200\0\0\0", 16) + pair + tag("levels") +
                             one + chars("great") + end;
  return r_head() + raw("\0\0\2\23\0\0\0\2", 8) + two + chars("x") + chars("y") + factor + pair +
         tag("names") + two + chars("a") + chars("f") + end;
}

TEST(RData, ListsAndFactorsAreReadByName) {
  const RValue list = parse_r_value("x", r_list());
  EXPECT_THAT(list.item("a").as_texts(), ElementsAre("x", "y"));
  EXPECT_THAT(list.item("f").as_texts(), ElementsAre("great", ""));  // the other is NA
  EXPECT_THAT(error_of([&] { list.item("g"); }), HasSubstr("nothing is called 'g'"));
}

TEST(RData, IsRefusedWhereverItIsCutOff) {
  const std::string whole = r_list();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(parse_r_value("x", whole.substr(0, size)), Error) << size;
  }
  std::string wrong = whole;
  wrong[5] = 9;
  EXPECT_THAT(error_of([&] { parse_r_value("x", wrong); }), HasSubstr("version 9, not 2 or 3"));
}

TEST(RData, RefusesAttributesWithFewerNames) {
  const std::string attributes = raw("\0\0\2\23\0\0\0\1\0\0\0\20\0\0\0\0", 16) +
                                 raw("\0\0\4\2", 4) + tag("names") +
                                 raw("\0\0\0\20\0\0\0\0\0\0\0\376", 12);
  const std::string one = raw("\0\0\2\20\0\0\0\1", 8) + chars("x");
  EXPECT_THAT(error_of([&] { parse_r_value("x", r_head() + one + attributes); }),
              HasSubstr("0 names of a list of 1"));
}

TEST_F(Files, GzipIsReadWholeOrNotAtAll) {
  const std::string text(100000, 'x'), file = path("a.gz");
  gzFile out = gzopen(file.c_str(), "wb");
  gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
  gzclose(out);
  EXPECT_EQ(read_gzip(file), text);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 10);
  EXPECT_THAT(error_of([&] { read_gzip(file); }), HasSubstr("not a whole gzip file"));
  EXPECT_THAT(error_of([&] { read_gzip(path("none.gz")); }), HasSubstr("none.gz"));
}

TEST(Split, DependsOnTheGroupAlone) {
  std::size_t tested = 0;
  for (int i = 0; i < 10000; ++i) tested += in_test("group " + std::to_string(i), 0.2, 1) ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(tested), 2000, 150);
  EXPECT_EQ(in_test("a", 0.5, 3), in_test("a", 0.5, 3));
}

TEST(Split, KeepsGroupsTogetherAndMergesEqualTexts) {
  std::vector<LabelledText> texts;
  for (int i = 0; i < 300; ++i) {
    texts.push_back({"text " + std::to_string(i / 2), i % 4 < 2 ? "even" : "odd",
                     "group " + std::to_string(i % 40)});
  }
  texts.push_back({"one of its kind", "rare", "group 1"});
  const ClassificationTask task = classification(texts, 0.5, 2, 1);
  EXPECT_THAT(task.labels, ElementsAre("even", "odd"));
  EXPECT_EQ(task.train.texts.size() + task.test.texts.size(), 150u);
  EXPECT_EQ(task.train.texts.size(), task.train_labels.size());
  EXPECT_THROW(classification({}, 0.5, 1, 1), Error);
}

TEST(Split, SqueezesWhiteSpace) {
  EXPECT_EQ(squeeze(" a \n\t b  "), "a b");
  EXPECT_EQ(squeeze(" \n"), "");
}

TEST_F(Files, ProgramsRunInTheirFolderAndTellWhatTheySaid) {
  write("here", "x");
  const Outcome listed = run_program({"sh", "-c", "ls; echo wrong >&2; exit 3"}, folder_, {});
  EXPECT_EQ(listed.exit, 3);
  EXPECT_EQ(listed.output, "here\nwrong\n");
  EXPECT_EQ(run_program({"sh", "-c", "kill -9 $$"}, folder_, {}).exit, 128 + 9);
  EXPECT_THAT(error_of([&] { run_program({"kith-no-such-program"}, folder_, {}); }),
              HasSubstr("program kith-no-such-program"));
}

TEST_F(Files, ProgramsEndWhenTheyAreCancelled) {
  std::atomic<bool> cancel = false;
  Control control;
  control.cancel = &cancel;
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cancel = true;
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(run_program({"sleep", "30"}, folder_, control), Error);
  later.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

// Programs named as the registries' stand first on PATH.
class FakeRegistry : public Files {
 protected:
  FakeRegistry() : path_before_(std::getenv("PATH")) {
    ::setenv("PATH", (path("bin") + ":" + path_before_).c_str(), 1);
  }
  ~FakeRegistry() override { ::setenv("PATH", path_before_.c_str(), 1); }
  void program(const std::string& name, const std::string& script) const {
    std::filesystem::permissions(write("bin/" + name, "#!/bin/sh\n" + script),
                                 std::filesystem::perms::owner_all);
  }
  Packages packages() const {
    return Packages(path("cache"), {}, [](const std::string&) {});
  }
  const std::string path_before_;
};

TEST_F(FakeRegistry, APackageThatCannotBeHadIsNamed) {
  program("apt-get", "echo 'E: Unable to locate package' >&2; exit 100");
  program("npm", "echo 404; exit 1");
  EXPECT_THAT(error_of([&] { packages().debian_lists(); }),
              HasSubstr("Debian's package lists can't be had: apt-get ended with 100: E: Unable"));
  std::filesystem::create_directories(path("cache/apt/lists"));
  write("cache/apt/lists/.complete", "");
  EXPECT_THAT(error_of([&] { packages().deb("dict-none"); }),
              HasSubstr("Debian package dict-none can't be had"));
  EXPECT_THAT(error_of([&] { packages().npm("a/b", "1.0", "x"); }),
              HasSubstr("npm package a/b@1.0 can't be had: npm ended with 1: 404"));
  EXPECT_TRUE(std::filesystem::is_empty(path("cache/npm")));  // nothing half-done stays
}

TEST_F(FakeRegistry, NpmPackagesAreCheckedUnpackedAndKept) {
  program("npm", "mkdir -p package && echo '{}' > package/package.json && tar czf p.tgz package");
  EXPECT_THAT(error_of([&] { packages().npm("p", "1", "AAAA"); }), HasSubstr("SHA-512"));
  // The archive differs with the time of its making, so the sum is asked of a program that lies.
  program("sha512sum", "echo 000000 $1");
  const std::string folder = packages().npm("p", "1", "AAAA");
  EXPECT_TRUE(std::filesystem::exists(folder + "/package.json"));
  program("npm", "exit 1");
  EXPECT_EQ(packages().npm("p", "1", "AAAA"), folder);
}

TEST(Catalogue, NamesAreDistinctAndFound) {
  for (const Dataset& set : datasets()) {
    EXPECT_EQ(&find_dataset(set.name), &set);
    EXPECT_FALSE(set.licence.empty());
  }
  EXPECT_THAT(error_of([] { find_dataset("none"); }), HasSubstr("expected one of debian, "));
}

}  // namespace
}  // namespace kith::datasets
