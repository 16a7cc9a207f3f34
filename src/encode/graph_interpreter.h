// Runs the nodes of a graph model one by one, in double and plain loops: what kith's own way of
// computing the same is compared with. Knows the operations that Universal Sentence Encoder lite
// uses, as TensorFlow documents them.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "encode/graph_model.h"

namespace kith::encode {

struct Array {
  std::vector<std::size_t> shape;
  std::vector<double> values;

  Array() = default;
  explicit Array(std::vector<std::size_t> s, double fill = 0) : shape(std::move(s)) {
    std::size_t count = 1;
    for (const std::size_t extent : shape) count *= extent;
    values.assign(count, fill);
  }
  // How many values one step along an axis is.
  std::size_t step(std::size_t axis) const {
    std::size_t step = 1;
    for (std::size_t a = axis + 1; a < shape.size(); ++a) step *= shape[a];
    return step;
  }
  std::size_t axis(double number) const {
    return static_cast<std::size_t>(number < 0 ? number + static_cast<double>(shape.size())
                                               : number);
  }
  std::vector<std::size_t> wholes() const { return {values.begin(), values.end()}; }
};

class GraphInterpreter {
 public:
  explicit GraphInterpreter(const GraphModel& graph) : graph_(graph) {
    for (const GraphNode& node : graph.nodes) nodes_[node.name] = &node;
  }

  // The result of node `output`, given those of the graph's placeholders.
  Array run(const std::map<std::string, Array>& inputs, const std::string& output) {
    results_.clear();
    for (const auto& [name, array] : inputs) results_[name] = {array};
    return result(output);
  }

 private:
  using Binary = double (*)(double, double);
  using Unary = double (*)(double);

  const Array& result(const std::string& name) {
    const std::size_t colon = name.rfind(':');
    const bool numbered = colon != std::string::npos;
    const std::string node = name.substr(0, colon);
    if (!results_.contains(node)) results_[node] = compute(*nodes_.at(node));
    return results_[node][numbered ? std::stoul(name.substr(colon + 1)) : 0];
  }

  static bool flag(const GraphNode& node, const char* name) {
    return node.attributes.has(name) && node.attributes.required(name).boolean("b", false);
  }
  static std::size_t number(const GraphNode& node, const char* name) {
    return node.attributes.has(name) ? std::stoul(node.attributes.required(name).text("i", "0"))
                                     : 0;
  }

  std::vector<Array> compute(const GraphNode& node) {
    if (node.op == "Const") return {constant(graph_.weight(node.name))};
    std::vector<Array> in;
    for (const std::string& input : node.inputs) in.push_back(result(input));
    static const std::map<std::string, Binary> kBinaries = {
        {"Add", [](double a, double b) { return a + b; }},
        {"BiasAdd", [](double a, double b) { return a + b; }},
        {"Sub", [](double a, double b) { return a - b; }},
        {"Mul", [](double a, double b) { return a * b; }},
        {"RealDiv", [](double a, double b) { return a / b; }},
        {"Maximum", [](double a, double b) { return std::max(a, b); }},
        {"Less", [](double a, double b) { return a < b ? 1.0 : 0.0; }},
        {"Greater", [](double a, double b) { return a > b ? 1.0 : 0.0; }}};
    static const std::map<std::string, Unary> kUnaries = {
        {"Sin", [](double a) { return std::sin(a); }},
        {"Cos", [](double a) { return std::cos(a); }},
        {"Tanh", [](double a) { return std::tanh(a); }},
        {"Square", [](double a) { return a * a; }},
        {"Rsqrt", [](double a) { return 1 / std::sqrt(a); }},
        {"Relu", [](double a) { return std::max(a, 0.0); }},
        {"LogicalNot", [](double a) { return a == 0 ? 1.0 : 0.0; }},
        {"Cast", [](double a) { return a; }}};  // from whole numbers and booleans only
    if (const auto at = kBinaries.find(node.op); at != kBinaries.end()) {
      return {broadcast(in[0], in[1], at->second)};
    }
    if (const auto at = kUnaries.find(node.op); at != kUnaries.end()) {
      for (double& value : in[0].values) value = at->second(value);
      return {in[0]};
    }
    if (node.op == "SplitV") return split(in[0], in[1].wholes(), in[0].axis(in[2].values[0]));
    return {special(node, in)};
  }

  static Array special(const GraphNode& node, const std::vector<Array>& in) {
    const std::string& op = node.op;
    if (op == "Sum" || op == "Mean" || op == "Max" || op == "Prod") return reduce(node, in);
    if (op == "MatMul" || op == "Conv2D") return product(in[0], in[1]);
    if (op == "BatchMatMul") return batch_product(in[0], in[1], flag(node, "adj_y"));
    if (op == "Softmax") return softmax(in[0]);
    if (op == "Transpose") return transpose(in[0], in[1].wholes());
    if (op == "GatherV2") return gather(in[0], in[1]);
    if (op == "GatherNd") return gather_nd(in[0], in[1]);
    if (op == "ScatterNd") return scatter(in[0], in[1], Array(in[2].wholes()));
    if (op == "SparseToDense") return scatter(in[0], in[2], Array(in[1].wholes(), in[3].values[0]));
    if (op == "ConcatV2" || op == "Pack") return join(node, in);
    if (op == "StridedSlice") return strided_slice(node, in);
    if (op == "Where") return where(in[0]);
    return reshaped(node, in);
  }

  static Array constant(const GraphTensor& tensor) {
    Array array(tensor.shape);
    if (!tensor.floats.empty()) array.values.assign(tensor.floats.begin(), tensor.floats.end());
    if (!tensor.ints.empty()) array.values.assign(tensor.ints.begin(), tensor.ints.end());
    return array;
  }

  // Operations that keep values as they are, or make few.
  static Array reshaped(const GraphNode& node, const std::vector<Array>& in) {
    Array out = in[0];
    if (node.op == "Reshape") {
      out.shape.clear();
      std::size_t known = 1;
      for (const double e : in[1].values) known *= e < 0 ? 1 : static_cast<std::size_t>(e);
      for (const double e : in[1].values) {
        out.shape.push_back(e < 0 ? in[0].values.size() / known : static_cast<std::size_t>(e));
      }
    } else if (node.op == "ExpandDims") {
      const double at = in[1].values[0];
      const auto end = static_cast<double>(out.shape.size());
      out.shape.insert(out.shape.begin() + static_cast<long>(at < 0 ? at + end + 1 : at), 1);
    } else if (node.op == "Squeeze") {
      const Json axes = node.attributes.required("squeeze_dims").required("list").required("i");
      out.shape.erase(out.shape.begin() + std::stol(axes.element(0).text()));
    } else if (node.op == "Shape") {
      out = Array({in[0].shape.size()});
      std::copy(in[0].shape.begin(), in[0].shape.end(), out.values.begin());
    } else if (node.op == "Slice") {  // of a list
      const std::size_t begin = in[1].wholes()[0], size = in[2].wholes()[0];
      out = Array({size});
      for (std::size_t i = 0; i < size; ++i) out.values[i] = in[0].values[begin + i];
    } else if (node.op == "Range") {
      out = Array({static_cast<std::size_t>(in[1].values[0] - in[0].values[0])});
      for (std::size_t i = 0; i < out.values.size(); ++i) {
        out.values[i] = in[0].values[0] + static_cast<double>(i);
      }
    } else {
      throw std::runtime_error("operation " + node.op);
    }
    return out;
  }

  static Array broadcast(const Array& a, const Array& b, Binary f) {
    const std::size_t rank = std::max(a.shape.size(), b.shape.size());
    const auto extent = [&](const Array& x, std::size_t axis) {
      const std::size_t missing = rank - x.shape.size();
      return axis < missing ? 1 : x.shape[axis - missing];
    };
    std::vector<std::size_t> shape;
    for (std::size_t i = 0; i < rank; ++i) {
      const std::size_t one = extent(a, i), other = extent(b, i);
      shape.push_back(one == 1 ? other : one);
    }
    Array out(shape);
    if (a.shape == shape && std::equal(b.shape.rbegin(), b.shape.rend(), shape.rbegin())) {
      const std::size_t n = b.values.size();
      for (std::size_t i = 0; i < out.values.size(); ++i) {
        out.values[i] = f(a.values[i], b.values[i % n]);
      }
      return out;
    }
    const auto place = [&](const Array& x, std::size_t index) {
      std::size_t at = 0, step = 1;
      for (std::size_t axis = rank; axis-- > 0; index /= shape[axis]) {
        if (extent(x, axis) != 1) at += index % shape[axis] * step;
        step *= extent(x, axis);
      }
      return at;
    };
    for (std::size_t i = 0; i < out.values.size(); ++i) {
      out.values[i] = f(a.values[place(a, i)], b.values[place(b, i)]);
    }
    return out;
  }

  // Over one axis.
  static Array reduce(const GraphNode& node, const std::vector<Array>& in) {
    const Array& x = in[0];
    const std::size_t axis = x.axis(in[1].values[0]), n = x.shape[axis], step = x.step(axis);
    std::vector<std::size_t> shape = x.shape;
    shape[axis] = 1;
    Array out(shape);
    for (std::size_t i = 0; i < out.values.size(); ++i) {
      const std::size_t start = i / step * step * n + i % step;
      double result = node.op == "Prod" ? 1 : node.op == "Max" ? -HUGE_VAL : 0;
      for (std::size_t k = 0; k < n; ++k) {
        const double value = x.values[start + k * step];
        if (node.op == "Prod") result *= value;
        if (node.op == "Max") result = std::max(result, value);
        if (node.op == "Sum" || node.op == "Mean") result += value;
      }
      out.values[i] = node.op == "Mean" ? result / static_cast<double>(n) : result;
    }
    if (!flag(node, "keep_dims")) out.shape.erase(out.shape.begin() + static_cast<long>(axis));
    return out;
  }

  // Rows times a matrix; a convolution of width 1 is just that over its last axis.
  static Array product(const Array& x, const Array& w) {
    const std::size_t in = x.shape.back(), out = w.shape.back(), rows = x.values.size() / in;
    std::vector<std::size_t> shape = x.shape;
    shape.back() = out;
    Array y(shape);
    constexpr std::size_t kTogether = 8;  // rows that share what is read of the matrix
    for (std::size_t first = 0; first < rows; first += kTogether) {
      for (std::size_t k = 0; k < in; ++k) {
        const double* weights = w.values.data() + k * out;
        for (std::size_t i = first; i < std::min(first + kTogether, rows); ++i) {
          const double factor = x.values[i * in + k];
          double* row = y.values.data() + i * out;
          for (std::size_t j = 0; j < out; ++j) row[j] += factor * weights[j];
        }
      }
    }
    return y;
  }

  static Array batch_product(const Array& a, const Array& b, bool turned) {
    const std::size_t rank = a.shape.size(), rows = a.shape[rank - 2], n = a.shape[rank - 1];
    const std::size_t cols = b.shape[turned ? rank - 2 : rank - 1];
    std::vector<std::size_t> shape = a.shape;
    shape.back() = cols;
    Array out(shape);
    for (std::size_t i = 0; i < out.values.size(); ++i) {
      const std::size_t batch = i / (rows * cols), row = i / cols, col = i % cols;
      for (std::size_t k = 0; k < n; ++k) {
        out.values[i] += a.values[row * n + k] *
                         b.values[batch * n * cols + (turned ? col * n + k : k * cols + col)];
      }
    }
    return out;
  }

  static Array softmax(Array x) {
    const std::size_t n = x.shape.back();
    for (std::size_t start = 0; start < x.values.size(); start += n) {
      double* row = x.values.data() + start;
      const double most = *std::max_element(row, row + n);
      double sum = 0;
      for (std::size_t j = 0; j < n; ++j) sum += row[j] = std::exp(row[j] - most);
      for (std::size_t j = 0; j < n; ++j) row[j] /= sum;
    }
    return x;
  }

  static Array transpose(const Array& x, const std::vector<std::size_t>& order) {
    std::vector<std::size_t> shape;
    for (const std::size_t axis : order) shape.push_back(x.shape[axis]);
    Array out(shape);
    for (std::size_t i = 0; i < out.values.size(); ++i) {
      std::size_t from = 0;
      for (std::size_t a = 0; a < order.size(); ++a) {
        from += i / out.step(a) % shape[a] * x.step(order[a]);
      }
      out.values[i] = x.values[from];
    }
    return out;
  }

  // Rows of the first axis.
  static Array gather(const Array& x, const Array& rows) {
    std::vector<std::size_t> shape = rows.shape;
    shape.insert(shape.end(), x.shape.begin() + 1, x.shape.end());
    Array out(shape);
    const std::size_t n = x.step(0);
    for (std::size_t i = 0; i < rows.values.size(); ++i) {
      const auto row = static_cast<std::size_t>(rows.values[i]);
      const auto from = x.values.begin() + static_cast<long>(row * n);
      std::copy_n(from, n, out.values.begin() + static_cast<long>(i * n));
    }
    return out;
  }

  // The first value of the part of `x` that row i of `places` names.
  static std::size_t offset(const Array& x, const Array& places, std::size_t i) {
    const std::size_t depth = places.shape.back();
    std::size_t at = 0;
    for (std::size_t a = 0; a < depth; ++a) {
      at += static_cast<std::size_t>(places.values[i * depth + a]) * x.step(a);
    }
    return at;
  }

  static Array gather_nd(const Array& x, const Array& places) {
    const std::size_t depth = places.shape.back(), rows = places.shape[0];
    std::vector<std::size_t> shape = {rows};
    shape.insert(shape.end(), x.shape.begin() + static_cast<long>(depth), x.shape.end());
    Array out(shape);
    const std::size_t n = x.step(depth - 1);
    for (std::size_t i = 0; i < rows; ++i) {
      const auto from = x.values.begin() + static_cast<long>(offset(x, places, i));
      std::copy_n(from, n, out.values.begin() + static_cast<long>(i * n));
    }
    return out;
  }

  static Array scatter(const Array& places, const Array& updates, Array out) {
    const std::size_t n = out.step(places.shape.back() - 1);
    for (std::size_t i = 0; i < places.shape[0]; ++i) {
      const auto from = updates.values.begin() + static_cast<long>(i * n);
      std::copy_n(from, n, out.values.begin() + static_cast<long>(offset(out, places, i)));
    }
    return out;
  }

  static Array join(const GraphNode& node, std::vector<Array> in) {
    const bool pack = node.op == "Pack";  // of single numbers
    if (!pack) in.pop_back();             // the axis
    const std::size_t rank = pack ? 1 : in[0].shape.size();
    // The graph joins along the first axis, or the second of a table.
    const std::size_t axis = rank - 1;
    std::vector<std::size_t> shape = pack ? std::vector<std::size_t>{0} : in[0].shape;
    shape[axis] = 0;
    std::vector<std::size_t> widths;
    for (const Array& x : in) widths.push_back(pack ? 1 : x.shape[axis]);
    for (const std::size_t width : widths) shape[axis] += width;
    Array out(shape);
    std::size_t at = 0;
    const std::size_t rows = axis == 0 ? 1 : shape[0];
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < in.size(); ++i) {
        for (std::size_t j = 0; j < widths[i]; ++j) {
          out.values[at++] = in[i].values[row * widths[i] + j];
        }
      }
    }
    return out;
  }

  // Steps of 1; axes behind those given are whole.
  static Array strided_slice(const GraphNode& node, const std::vector<Array>& in) {
    const Array& x = in[0];
    std::vector<std::size_t> begin, size, shape;
    for (std::size_t a = 0; a < x.shape.size(); ++a) {
      const bool given = a < in[1].values.size();
      const bool from_start = !given || (number(node, "begin_mask") >> a & 1) != 0;
      const bool to_end = !given || (number(node, "end_mask") >> a & 1) != 0;
      const bool single = given && (number(node, "shrink_axis_mask") >> a & 1) != 0;
      begin.push_back(from_start ? 0 : in[1].wholes()[a]);
      const std::size_t end = single   ? begin[a] + 1
                              : to_end ? x.shape[a]
                                       : std::min(in[2].wholes()[a], x.shape[a]);
      size.push_back(end - begin[a]);
      if (!single) shape.push_back(size[a]);
    }
    const Array part(size);
    Array out(shape);
    for (std::size_t i = 0; i < part.values.size(); ++i) {
      std::size_t from = 0;
      for (std::size_t a = 0; a < size.size(); ++a) {
        from += (begin[a] + i / part.step(a) % size[a]) * x.step(a);
      }
      out.values[i] = x.values[from];
    }
    return out;
  }

  static Array where(const Array& x) {
    std::vector<double> places;
    for (std::size_t i = 0; i < x.values.size(); ++i) {
      if (x.values[i] == 0) continue;
      for (std::size_t a = 0; a < x.shape.size(); ++a) {
        places.push_back(static_cast<double>(i / x.step(a) % x.shape[a]));
      }
    }
    Array out({places.size() / x.shape.size(), x.shape.size()});
    out.values = std::move(places);
    return out;
  }

  static std::vector<Array> split(const Array& x, const std::vector<std::size_t>& widths,
                                  std::size_t axis) {
    std::vector<Array> parts;
    std::size_t first = 0;
    for (const std::size_t width : widths) {
      std::vector<std::size_t> shape = x.shape;
      shape[axis] = width;
      Array part(shape);
      const std::size_t step = x.step(axis), run = width * step;
      for (std::size_t i = 0; i < part.values.size(); ++i) {
        part.values[i] = x.values[i / run * x.shape[axis] * step + first * step + i % run];
      }
      first += width;
      parts.push_back(part);
    }
    return parts;
  }

  const GraphModel& graph_;
  std::map<std::string, const GraphNode*> nodes_;
  std::map<std::string, std::vector<Array>> results_;
};

}  // namespace kith::encode
