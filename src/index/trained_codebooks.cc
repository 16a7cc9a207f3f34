#include "kith/trained_codebooks.h"

#include <utility>

#include "codec/codebooks.h"
#include "codec/spec.h"
#include "formats/kith_file.h"

namespace kith {

TrainedCodebooks::TrainedCodebooks(std::shared_ptr<const CodebooksContent> content)
    : content_(std::move(content)) {}

TrainedCodebooks TrainedCodebooks::open(const std::string& path) {
  return TrainedCodebooks(
      std::make_shared<const CodebooksContent>(read_codebooks(KithFileReader::open(path, true))));
}

void TrainedCodebooks::save(const std::string& path) const {
  KithFileWriter writer;
  Meta meta;
  meta.set("kind", "codebooks");
  meta.set("metric", std::string(name(metric())));
  meta.set("dim", std::uint64_t{dim()});
  meta.set("codec", codec());
  content_->codebooks.save(writer, "");
  writer.add_text("meta", meta.text());
  writer.write(path, {});
}

Metric TrainedCodebooks::metric() const { return content_->metric; }
std::size_t TrainedCodebooks::dim() const { return content_->codebooks.dim(); }
std::string TrainedCodebooks::codec() const {
  return vq_name(content_->codebooks.parts(), content_->codebooks.bits());
}
std::shared_ptr<const Codebooks> TrainedCodebooks::codebooks() const {
  return {content_, &content_->codebooks};
}

}  // namespace kith
