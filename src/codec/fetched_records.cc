#include "codec/fetched_records.h"

#include "kith/error.h"

namespace kith {
namespace {

constexpr std::size_t kMostBytes = std::size_t{2} << 20;
constexpr std::size_t kLeast = 64;

AnyCodec without_rows(const AnyCodec& any) {
  return std::visit(
      []<class C>(const C& codec) -> AnyCodec {
        if constexpr (CodecWithRecords<C>) return codec.without_rows();
        throw Error(ErrorCode::unsupported, "a codec without records can't be fetched");
      },
      any);
}

}  // namespace

FetchedRecords::FetchedRecords(const Stage& stage)
    : stage_(stage),
      codec_(without_rows(stage.codec())),
      most_(std::max(kLeast, kMostBytes / stage.tier()->shape().record_bytes)) {}

void FetchedRecords::fetch(std::span<const Id> ids) {
  ids_.assign(ids.begin(), ids.end());
  std::sort(ids_.begin(), ids_.end());
  ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
  std::visit(
      [&]<class C>(C& codec) {
        if constexpr (CodecWithRecords<C>) {
          if (codec.size() < ids_.size()) codec.resize(ids_.size());
          stage_.tier()->fetch(ids_, [&](std::size_t i, const std::byte* record) {
            codec.put_record(static_cast<Id>(i), record);
          });
        }
      },
      codec_);
}

}  // namespace kith
