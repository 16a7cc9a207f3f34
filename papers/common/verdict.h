// What a claim comes to, by a rule that was written down before the measurement.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "papers/common/estimate.h"

namespace kith::papers {

enum class Verdict { shown, refuted, undecided };

std::string_view name(Verdict verdict);

struct Judgement {
  Verdict verdict = Verdict::undecided;
  std::string evidence;  // the numbers that decided
};

// Shown when the whole interval lies above `bound`, refuted when all of it lies below, else
// undecided (always, with fewer than two seeds). `what` names the quantity in the evidence.
Judgement above(const std::string& what, const Estimate& estimate, double bound = 0);
Judgement below(const std::string& what, const Estimate& estimate, double bound = 0);

// Shown when all are, refuted when one is.
Judgement all_of(std::span<const Judgement> parts);
// Shown when one is, refuted when all are.
Judgement any_of(std::span<const Judgement> parts);

// "0.0312 [0.0290, 0.0334]"
std::string text(const Estimate& estimate);

}  // namespace kith::papers
