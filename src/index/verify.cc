#include "index/verify.h"

#include <algorithm>
#include <memory>

#include "base/parallel.h"
#include "codec/fetched_records.h"
#include "index/margin.h"
#include "kith/error.h"

namespace kith {
namespace {

constexpr std::size_t kPiece = 16;  // as rescore_with takes them
constexpr std::size_t kFirst = 32;  // of a query: they say how many of the others matter

// Calls use(codec) with the stage's codec, of those that have records.
template <class Use>
void with_records(const Stage& stage, const Use& use) {
  std::visit(
      [&]<class C>(const C& codec) {
        if constexpr (CodecWithRecords<C>) use(codec);
      },
      stage.codec());
}

template <class C>
class Verification {
 public:
  Verification(const Stage& stage, const C& codec, std::span<Unverified> queries, std::size_t k,
               float margin)
      : records_(stage), margin_(margin) {
    for (Unverified& query : queries) {
      open_.push_back({&query.hits, TopK(k)});
      codec.prepare(query.query.data(), open_.back().query);
    }
  }

  // In rounds: each reads what matters by what the rounds before it found.
  void run(std::size_t k, const Control& control) {
    const std::size_t first = margin_ == kNoMargin ? records_.most() : std::max(k, kFirst);
    std::vector<Id> ids;
    for (std::size_t wanted = first;; wanted = records_.most()) {
      throw_if_cancelled(control);
      std::size_t going_on = 0;
      for (const Open& query : open_) going_on += matters(query, query.next) ? 1 : 0;
      if (going_on == 0) break;
      const std::size_t share = std::min(wanted, records_.most() / going_on);
      ids.clear();
      for (Open& query : open_) choose(query, std::max<std::size_t>(1, share / kPiece), ids);
      records_.fetch(ids);
      for (Open& query : open_) score(query);
    }
    for (Open& query : open_) *query.hits = query.nearest.take_sorted();
  }

 private:
  struct Open {
    std::vector<Hit>* hits;
    TopK nearest;
    typename C::Query query = {};
    std::size_t next = 0, end = 0;  // hits before `next` are scored, those before `end` chosen
  };

  bool matters(const Open& query, std::size_t at) const {
    return at < query.hits->size() &&
           !((*query.hits)[at].distance > query.nearest.threshold() + margin_);
  }

  void choose(Open& query, std::size_t pieces, std::vector<Id>& ids) {
    query.end = query.next;
    for (std::size_t i = 0; i < pieces && matters(query, query.end); ++i) {
      const std::size_t end = std::min(query.end + kPiece, query.hits->size());
      for (; query.end < end; ++query.end) ids.push_back((*query.hits)[query.end].id);
    }
  }

  // Piece by piece, as if they came from memory: what is read beyond that changes nothing.
  void score(Open& query) {
    Id ids[kPiece];
    float distances[kPiece];
    while (query.next < query.end) {
      if (!matters(query, query.next)) {
        query.next = query.hits->size();
        return;
      }
      const std::size_t count = std::min(kPiece, query.end - query.next);
      for (std::size_t i = 0; i < count; ++i) ids[i] = (*query.hits)[query.next + i].id;
      records_.score_best<C>(query.query, ids, count, distances);
      for (std::size_t i = 0; i < count; ++i) query.nearest.push(distances[i], ids[i]);
      query.next += count;
    }
  }

  FetchedRecords records_;
  float margin_;
  std::vector<Open> open_;
};

}  // namespace

void verify(const Stage& stage, std::span<Unverified> queries, std::size_t k, float margin,
            const Control& control) {
  if (queries.empty()) return;
  with_records(stage, [&]<class C>(const C& codec) {
    Verification<C>(stage, codec, queries, k, margin).run(k, control);
  });
}

std::vector<Hit> nearest_on_disk(const Stage& stage, const float* query, const Allowed& allowed,
                                 std::size_t slots, std::size_t k) {
  TopK nearest(k);
  with_records(stage, [&]<class C>(const C& codec) {
    FetchedRecords records(stage);
    typename C::Query prepared;
    codec.prepare(query, prepared);
    std::vector<Id> ids;
    std::vector<float> distances;
    const auto score = [&] {
      records.fetch(ids);
      distances.resize(ids.size());
      records.template score_best<C>(prepared, ids.data(), ids.size(), distances.data());
      for (std::size_t i = 0; i < ids.size(); ++i) nearest.push(distances[i], ids[i]);
      ids.clear();
    };
    allowed.for_each(0, static_cast<Id>(slots), [&](Id id) {
      ids.push_back(id);
      if (ids.size() == records.most()) score();
    });
    if (!ids.empty()) score();
  });
  return nearest.take_sorted();
}

BestScorer best_scorer(const Stage& stage, const float* query) {
  if (!stage.on_disk()) return best_scorer(stage.codec(), query);
  BestScorer scorer;
  with_records(stage, [&]<class C>(const C& codec) {
    auto prepared = std::make_shared<typename C::Query>();
    codec.prepare(query, *prepared);
    auto records = std::make_shared<FetchedRecords>(stage);
    scorer.prefetch = [](Id) {};  // they are asked for together
    scorer.score = [records, prepared](const Id* ids, std::size_t n, float* distances) {
      records->fetch({ids, n});
      records->score_best<C>(*prepared, ids, n, distances);
    };
    scorer.together = BestScorer::kMostTogether;
  });
  return scorer;
}

}  // namespace kith
