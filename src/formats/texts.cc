#include "formats/texts.h"

#include <utility>

#include "base/mapped_file.h"
#include "formats/bytes.h"
#include "formats/json_reader.h"
#include "formats/lines.h"
#include "formats/words.h"

namespace kith {
namespace formats {
namespace {

Texts parse_lines(const Input& in) {
  Texts result;
  for_each_line(in.text(), [&](std::string_view line, std::size_t, std::size_t) {
    result.texts.push_back(line);
  });
  result.owner = in.owner;
  return result;
}

Texts parse_tsv(const Input& in) {
  Texts result;
  WordList ids;
  for_each_line(in.text(), [&](std::string_view line, std::size_t, std::size_t number) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos) {
      corrupt_line(in, number, "no tab, expected an ID, a tab and a text");
    }
    ids.add(line.substr(0, tab));
    result.texts.push_back(line.substr(tab + 1));
  });
  result.labels = ids.labels();
  result.owner = in.owner;
  return result;
}

struct Object {
  std::string id, title, text;
  bool has_id = false, has_text = false;
};

Object parse_object(const Input& in, std::size_t begin, std::size_t end) {
  Object object;
  JsonReader json(in, begin, end);
  json.object([&](const std::string& key) {
    if (key == "_id") {
      object.id = json.string_or_whole();
      object.has_id = true;
    } else if (key == "title") {
      object.title = json.string();
    } else if (key == "text") {
      object.text = json.string();
      object.has_text = true;
    } else {
      json.skip();
    }
  });
  json.end();
  return object;
}

Texts parse_jsonl(const Input& in) {
  auto owned = std::make_shared<std::string>();
  std::vector<std::size_t> ends;
  WordList ids;
  for_each_line(in.text(), [&](std::string_view line, std::size_t at, std::size_t number) {
    if (line.find_first_not_of(" \t") == std::string_view::npos) return;
    const Object object = parse_object(in, at, at + line.size());
    if (!object.has_id || !object.has_text) {
      corrupt_line(in, number, object.has_id ? "no \"text\"" : "no \"_id\"");
    }
    ids.add(object.id);
    owned->append(object.title);
    if (!object.title.empty()) owned->push_back(' ');
    owned->append(object.text);
    ends.push_back(owned->size());
  });
  Texts result;
  std::size_t start = 0;
  for (const std::size_t end : ends) {
    result.texts.push_back(std::string_view(*owned).substr(start, end - start));
    start = end;
  }
  result.labels = ids.labels();
  result.owner = std::move(owned);
  return result;
}

}  // namespace

Texts parse_texts(const Input& in, const std::string& format) {
  const auto is = [&](const char* name, const char* extension) {
    return format.empty() ? in.name.ends_with(extension) : format == name;
  };
  if (!format.empty() && format != "lines" && format != "tsv" && format != "jsonl") {
    throw Error(ErrorCode::invalid_argument,
                "format '" + format + "' of texts: expected lines, tsv or jsonl");
  }
  const bool tsv = is("tsv", ".tsv"), jsonl = is("jsonl", ".jsonl");
  Texts result = tsv ? parse_tsv(in) : jsonl ? parse_jsonl(in) : parse_lines(in);
  result.format = tsv ? "tsv" : jsonl ? "jsonl" : "lines";
  return result;
}

}  // namespace formats

Texts read_texts(const std::string& path, const std::string& format) {
  const auto file = MappedFile::open(path);
  formats::Input in;
  in.name = path;
  in.bytes = file->bytes();
  in.owner = file;
  return formats::parse_texts(in, format);
}

}  // namespace kith
