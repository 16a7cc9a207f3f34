#include "kith/types.h"

#include <string>

#include "kith/error.h"

namespace kith {

std::string_view name(Metric metric) {
  switch (metric) {
    case Metric::l2:
      return "l2";
    case Metric::ip:
      return "ip";
    case Metric::cosine:
      return "cosine";
  }
  return "?";
}

std::string_view name(ElementType type) {
  switch (type) {
    case ElementType::f32:
      return "f32";
    case ElementType::f16:
      return "f16";
    case ElementType::bf16:
      return "bf16";
    case ElementType::i8:
      return "i8";
    case ElementType::u8:
      return "u8";
  }
  return "?";
}

Metric parse_metric(std::string_view text) {
  for (Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    if (text == name(metric)) return metric;
  }
  throw Error(ErrorCode::invalid_argument,
              "metric '" + std::string(text) + "': expected l2, ip or cosine");
}

std::size_t size_of(ElementType type) {
  switch (type) {
    case ElementType::f32:
      return 4;
    case ElementType::f16:
    case ElementType::bf16:
      return 2;
    case ElementType::i8:
    case ElementType::u8:
      return 1;
  }
  return 0;
}

float customary(Metric metric, float distance) {
  switch (metric) {
    case Metric::l2:
      return distance;
    case Metric::ip:
      return -distance;
    case Metric::cosine:
      return 1.0f - distance;
  }
  return distance;
}

float distance_from_customary(Metric metric, float value) { return customary(metric, value); }

}  // namespace kith
