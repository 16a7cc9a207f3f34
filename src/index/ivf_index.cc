// The inverted-file index built, changed and saved.
#include "index/ivf_index.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>

#include "base/random.h"
#include "index/lists_content.h"
#include "kith/trained_lists.h"

namespace kith {
namespace {

// From here on the codes that re-rank may be what limits the recall.
constexpr double kHighRecall = 0.98;

// Product codes are the lists' own.
CodecSpec stages_of(const std::string& codec) {
  const CodecSpec spec = CodecSpec::parse(codec);
  return spec.parts() != 0 ? spec.refining() : spec;
}

}  // namespace

IvfIndex::IvfIndex(const AnyMatrixView& rows, const BuildOptions& options, bool choose_codec)
    : Implementation(options.metric, rows.dim(), rows.type(), stages_of(options.codec),
                     options.seed) {
  const Control& control = options.control;
  if (CodecSpec::parse(options.codec).parts() == 0) primary_.need_records("lists of");
  train(rows, options);
  train_lists(rows, options);  // its sample makes room for the codes
  store_all(rows, control);

  const std::vector<Id> order = random_permutation(rows.rows(), options.seed);
  const std::size_t held = std::min<std::size_t>(kBeamQueries, (rows.rows() - 1) / 20);
  const std::span<const Id> late = std::span(order).last(held);
  std::vector<Id> early(order.begin(), order.end() - static_cast<std::ptrdiff_t>(held));
  std::sort(early.begin(), early.end());
  const auto add = [&](std::span<const Id> ids) {
    const auto load = [&](std::size_t i, float* out) { rows.copy_row(ids[i], out); };
    take(lists_.with(load, ids, control), control);
  };
  add(early);
  measure_margin(rows, late, options);
  const BeamTrial trial = beam_trial(rows, late, options);
  DefaultBeam chosen = measure_beam(trial, options);
  if (choose_codec) {
    chosen = options.recall >= kHighRecall || chosen.recall < options.recall
                 ? try_finer_codes("lvq8x8", rows, late, trial, options, chosen)
                 : try_smaller_codes("lvq8", rows, trial, options, chosen);
  }
  default_beam = chosen.beam;
  tuned_recall = chosen.recall;
  for_ten_times_ = beams_for_ten_times(trial, chosen, trial_search(control));
  add(late);
}

DefaultBeam IvfIndex::try_finer_codes(const std::string& name, const AnyMatrixView& rows,
                                      std::span<const Id> held, const BeamTrial& trial,
                                      const BuildOptions& options, const DefaultBeam& coarser) {
  constexpr std::size_t kTimesTheProbes = 2;
  const std::string before = primary_.codec_name();
  recode(name, rows, options);
  const float margin = margin_, level_margin = level_margin_;
  measure_margin(rows, held, options);
  const DefaultBeam chosen = measure_beam(trial, options);
  const bool reached = coarser.recall >= options.recall;
  if (reached ? chosen.recall >= options.recall && chosen.beam * kTimesTheProbes <= coarser.beam
              : chosen.recall > coarser.recall) {
    return chosen;
  }
  recode(before, rows, options);
  margin_ = margin;
  level_margin_ = level_margin;
  return coarser;
}

void IvfIndex::train_lists(const AnyMatrixView& rows, const BuildOptions& options) {
  ListsContent learned;
  if (options.trained != nullptr) {
    const ListsContent& content = options.trained->content();
    learned = {metric, content.centres.clone(), content.quantiser};
  } else {
    const CodecSpec spec = CodecSpec::parse(options.codec);
    learned = learn_lists(rows, {.metric = metric,
                                 .lists = options.lists,
                                 .parts = spec.parts(),
                                 .turn = spec.optimised() ? ProductQuantiser::Turn::learned
                                                          : ProductQuantiser::Turn::none,
                                 .balance = options.balance,
                                 .seed = options.seed,
                                 .control = options.control});
  }
  Cells cells(metric, Centres(std::move(learned.centres)));
  cells.connect(options.seed, options.control);
  lists_ = InvertedLists(std::move(cells), ListBlocks(metric, std::move(learned.quantiser)));
}

void IvfIndex::take(InvertedLists lists, const Control& control) {
  std::optional<Stage::Ordered> ordered;
  if (holds_rows()) ordered = primary_.in_order(lists.order(size()), control);
  const std::unique_lock lock(mutex);
  lists_ = std::move(lists);
  if (ordered) primary_.take(std::move(*ordered));
}

void IvfIndex::link(std::span<const Id> ids, const Incoming& rows, const Control& control) {
  take(lists_.with(rows.load, ids, control), control);
}

void IvfIndex::unlink(bool now, const Control& control) {
  constexpr std::size_t kTenth = 10;  // of all codes: until then scans pass over them
  if (linked_.empty() || (!now && linked_.size() * kTenth < lists_.size())) return;
  throw_if_cancelled(control);
  take(lists_.without(linked_), control);
  const std::unique_lock lock(mutex);
  linked_ = IdSet();
}

void IvfIndex::read_queries_by(std::shared_ptr<const Binariser> binariser) {
  if (!holds_rows()) {
    throw Error(ErrorCode::invalid_argument,
                "an inverted file of product codes: only codes by a binariser alone can be "
                "searched by another one's queries");
  }
  Implementation::read_queries_by(std::move(binariser));
}

IndexInfo IvfIndex::info() const {
  IndexInfo info = Implementation::info();
  if (!holds_rows()) {
    const ProductQuantiser& quantiser = lists_.blocks().quantiser();
    const bool turned = quantiser.turn() == ProductQuantiser::Turn::learned;
    info.codec = (turned ? "opq" : "pq") + std::to_string(quantiser.parts()) + "+" + info.codec;
  }
  info.lists = lists_.lists();
  info.longest_list = lists_.longest();
  for (auto& part : lists_.bytes()) info.bytes.push_back(part);
  return info;
}

IvfIndex::IvfIndex(const KithFileReader& reader, const Meta& meta)
    : Implementation(reader, meta),
      lists_(InvertedLists::load(reader, meta, metric, dim, size())),
      margin_(static_cast<float>(meta.real("ivf.margin"))),
      level_margin_(meta.has("ivf.level_margin") ? static_cast<float>(meta.real("ivf.level_margin"))
                                                 : kNoMargin) {
  if (meta.has("ivf.for_ten_times")) for_ten_times_ = meta.real("ivf.for_ten_times");
  if (!(for_ten_times_ >= 1)) {
    reader.fail("section meta: ivf.for_ten_times=" + std::to_string(for_ten_times_));
  }
  if (!holds_rows()) return;
  for (const Id id : std::span(lists_.ids(), lists_.size())) {  // its row would be used again
    if (removed_.contains(id) && !linked_.contains(id)) {
      reader.fail("section ivf.ids: id " + std::to_string(id) + " was removed");
    }
  }
  primary_.set_order(lists_.order(size()));
}

std::uint32_t IvfIndex::plain_version() const {
  return holds_rows() ? kListRowsFileVersion : Implementation::plain_version();
}

void IvfIndex::save_parts(KithFileWriter& writer, Meta& meta) const {
  meta.set("ivf.margin", double{margin_});
  meta.set("ivf.level_margin", double{level_margin_});
  meta.set("ivf.for_ten_times", for_ten_times_);
  lists_.save(writer, meta);
}

std::unique_ptr<Index::Implementation> build_ivf(const AnyMatrixView& rows,
                                                 const BuildOptions& options, bool choose_codec) {
  return std::make_unique<IvfIndex>(rows, options, choose_codec);
}

std::unique_ptr<Index::Implementation> load_ivf(const KithFileReader& reader, const Meta& meta) {
  return std::make_unique<IvfIndex>(reader, meta);
}

}  // namespace kith
