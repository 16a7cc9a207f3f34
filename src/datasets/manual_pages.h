// Files of manual pages in unpacked packages.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kith::datasets {

// ".../man2/poll.2.gz" -> "poll(2)"; "" for what isn't a page.
std::string manual_id(const std::filesystem::path& path);

// The pages below usr/share/man, symbolic links too, in the order of their paths.
std::vector<std::filesystem::path> manual_files(const std::string& folder);

// ".so man2/poll.2" -> "poll(2)": a page that only points at another one; "" for others.
std::string included_page(const std::string& roff);

}  // namespace kith::datasets
