// Data of packages for R, as R serialises it (XDR, versions 2 and 3): vectors, lists with names,
// factors, data frames. Functions and environments are passed over.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kith::datasets {

struct RAttribute;

struct RValue {
  std::vector<std::string> texts;      // of a character vector; NA is empty
  std::vector<double> numbers;         // of a numeric, whole or logical one; NA is NaN
  std::vector<RValue> items;           // of a list
  std::vector<RAttribute> attributes;  // "names", "levels", "class" ...

  // Null when there is none of that name.
  const RValue* attribute(std::string_view name) const;
  // Of a list (a data frame's column), by its name. Throws not_found.
  const RValue& item(std::string_view name) const;
  // A character vector's texts, or a factor's levels value by value.
  std::vector<std::string> as_texts() const;
};

struct RAttribute {
  std::string name;
  RValue value;
};

// What serialize() wrote. Throws corrupt naming the byte, unsupported for other formats.
RValue parse_r_value(const std::string& name, std::string_view bytes);

// The object of a package's data base: BASE.rdx and BASE.rdb. Throws not_found, corrupt.
RValue read_r_object(const std::string& base, const std::string& name);

}  // namespace kith::datasets
