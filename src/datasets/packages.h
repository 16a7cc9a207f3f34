// Packages of the Debian and npm registries, fetched by apt-get and npm into a cache folder, where
// they stay. Nothing of them is installed or run. The cache's layout is that of bench/data.sh and
// scripts/fetch_npm.sh: apt/lists, deb/NAME, npm/NAME-VERSION.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kith/control.h"

namespace kith::datasets {

class Packages {
 public:
  // `say` is told what is being fetched, a line at a time.
  Packages(const std::string& cache, Control control, std::function<void(const std::string&)> say);

  const Control& control() const { return control_; }

  // Each returns the folder, and throws not_found naming the package and what the program said when
  // it can't be had; what is in the cache already is not asked for again.
  // Lists of Debian's packages with their descriptions in many languages.
  std::string debian_lists();
  // What a Debian package would install.
  std::string deb(const std::string& name);
  // An npm package; `sha512` in base 64, as its registry gives it. Throws corrupt for another one.
  std::string npm(const std::string& name, const std::string& version, const std::string& sha512);

 private:
  // Runs a program in `folder`; its failure is `what` can't be had.
  std::string run(const std::string& what, const std::vector<std::string>& arguments,
                  const std::string& folder);

  std::string cache_;
  Control control_;
  std::function<void(const std::string&)> say_;
};

}  // namespace kith::datasets
