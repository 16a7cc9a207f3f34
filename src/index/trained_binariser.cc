#include "kith/trained_binariser.h"

#include "codec/binariser.h"
#include "codec/spec.h"
#include "formats/kith_file.h"

namespace kith {

TrainedBinariser::TrainedBinariser(std::shared_ptr<const Binariser> content)
    : content_(std::move(content)) {}

TrainedBinariser TrainedBinariser::open(const std::string& path) {
  return TrainedBinariser(
      std::make_shared<const Binariser>(read_binariser(KithFileReader::open(path, true))));
}

void TrainedBinariser::save(const std::string& path) const {
  KithFileWriter writer;
  Meta meta;
  meta.set("kind", "binariser");
  meta.set("dim", std::uint64_t{dim()});
  meta.set("codec", codec());
  content_->save(writer, meta, "");
  writer.add_text("meta", meta.text());
  writer.write(path, {});
}

std::size_t TrainedBinariser::dim() const { return content_->dim; }
std::string TrainedBinariser::codec() const { return bits_name(content_->dims, content_->bits); }
std::uint64_t TrainedBinariser::version() const { return content_->version; }
std::uint64_t TrainedBinariser::compatible() const { return content_->compatible; }

}  // namespace kith
