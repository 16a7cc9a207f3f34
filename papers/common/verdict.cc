#include "papers/common/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kith::papers {
namespace {

std::string joined(std::span<const Judgement> parts) {
  std::string text;
  for (const Judgement& part : parts) text += (text.empty() ? "" : "; ") + part.evidence;
  return text;
}

bool any_is(std::span<const Judgement> parts, Verdict verdict) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const Judgement& part) { return part.verdict == verdict; });
}

bool all_are(std::span<const Judgement> parts, Verdict verdict) {
  return !parts.empty() && std::all_of(parts.begin(), parts.end(), [&](const Judgement& part) {
    return part.verdict == verdict;
  });
}

Judgement judge(const std::string& what, const Estimate& estimate, bool shown, bool refuted) {
  const Verdict verdict = shown ? Verdict::shown : refuted ? Verdict::refuted : Verdict::undecided;
  return {verdict, what + " " + text(estimate)};
}

}  // namespace

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::shown:
      return "shown";
    case Verdict::refuted:
      return "refuted";
    case Verdict::undecided:
      return "undecided";
  }
  return "?";
}

// Comparisons with an interval that isn't there (NaN) are false: neither shown nor refuted.
Judgement above(const std::string& what, const Estimate& estimate, double bound) {
  return judge(what, estimate, estimate.low > bound, estimate.high < bound);
}

Judgement below(const std::string& what, const Estimate& estimate, double bound) {
  return judge(what, estimate, estimate.high<bound, estimate.low> bound);
}

Judgement all_of(std::span<const Judgement> parts) {
  if (all_are(parts, Verdict::shown)) return {Verdict::shown, joined(parts)};
  if (any_is(parts, Verdict::refuted)) return {Verdict::refuted, joined(parts)};
  return {Verdict::undecided, joined(parts)};
}

Judgement any_of(std::span<const Judgement> parts) {
  if (any_is(parts, Verdict::shown)) return {Verdict::shown, joined(parts)};
  if (all_are(parts, Verdict::refuted)) return {Verdict::refuted, joined(parts)};
  return {Verdict::undecided, joined(parts)};
}

std::string text(const Estimate& estimate) {
  if (std::isnan(estimate.mean)) return "not measured";
  if (std::isnan(estimate.low)) return fmt::format("{:.4g} (one seed)", estimate.mean);
  return fmt::format("{:.4g} [{:.4g}, {:.4g}]", estimate.mean, estimate.low, estimate.high);
}

}  // namespace kith::papers
