// Small models for tests of merging, and the same as plain rows for their references.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "kith/error.h"
#include "learn/torch.h"
#include "learn/weights/scaled_model.h"
#include "learn/weights/task_vectors.h"

namespace kith::learn {

// A table, a weight and a bias; 4 x 3 + 3 x 5 + 3 values.
inline Parameters random_model(std::uint64_t seed, double spread = 1) {
  Random random(seed);
  const auto draw = [&](const std::vector<std::int64_t>& shape) {
    const at::Tensor values = torch::empty(shape);
    for (std::int64_t i = 0; i < values.numel(); ++i) {
      values.data_ptr<float>()[i] = static_cast<float>(spread * random.normal());
    }
    return values;
  };
  Parameters model;
  model.add("weight", draw({3, 5}));
  model.add("table", draw({4, 3}));
  model.add("bias", draw({3}));
  return model;
}

// All values one behind the other, by name.
inline std::vector<double> flat(const Parameters& model) {
  std::vector<double> values;
  for (const char* name : {"bias", "table", "weight"}) {
    const at::Tensor each = model[name].detach().contiguous();
    values.insert(values.end(), each.data_ptr<float>(), each.data_ptr<float>() + each.numel());
  }
  return values;
}

inline TaskVectors random_vectors(std::size_t count, std::uint64_t seed = 1) {
  std::vector<NamedModel> models;
  for (std::size_t i = 0; i < count; ++i) {
    models.push_back({std::string("m").append(std::to_string(i + 1)), random_model(seed + i + 1)});
  }
  return make_task_vectors({"base", random_model(seed)}, models);
}

inline void expect_near(const std::vector<double>& got, const std::vector<double>& wanted,
                        double tolerance) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t k = 0; k < got.size(); ++k) EXPECT_NEAR(got[k], wanted[k], tolerance) << k;
}

// Half the squared distance to `target`, with its gradients.
inline GradientStep distance(const Parameters& model, const Parameters& target) {
  return [&model, &target](std::int64_t) {
    at::Tensor loss = torch::zeros({1});
    for (const Parameter& each : model) {
      loss = loss + (each.value - target[each.name]).square().sum() / 2;
    }
    loss.sum().backward();
    return loss.item<double>();
  };
}

// What an Error says; empty without one.
inline std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace kith::learn
