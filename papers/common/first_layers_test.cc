// Models as reproductions cut them: first layers, and vectors at a layer and width.
#include "papers/common/first_layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/test_path.h"
#include "kith/error.h"
#include "papers/common/elastic_model.h"

namespace kith::papers {
namespace {}  // namespace
}  // namespace kith::papers
