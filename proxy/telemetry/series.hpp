#pragma once
// Time series by their label values, found without building a string: each
// thread asks a shard of its own, and only the first use of a combination goes
// to prometheus-cpp. The number of series of a family is bounded.
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace turnout::telemetry {

/// Label value of everything beyond a bound.
inline constexpr std::string_view other_label = "other";

/// A value fit for a label: valid UTF-8, of bounded length, no card number.
std::string clean_label(std::string_view value);

/// Small, the same for all calls of one thread.
std::size_t this_threads_shard() noexcept;

template <class Metric, std::size_t Count>
class series {
 public:
  using values = std::array<std::string_view, Count>;
  using names = std::array<const char*, Count>;

  /// `buckets` for histograms only.
  series(prometheus::Registry& registry, const char* name, const char* help, names labels,
         std::vector<double> buckets = {}, std::size_t most = 10'000)
      : family_(make_family(registry, name, help)), labels_(labels), buckets_(std::move(buckets)), most_(most) {}
  series(const series&) = delete;
  series& operator=(const series&) = delete;

  /// The reference stays good until remove().
  Metric& at(const values& wanted) {
    shard& own = shards_[this_threads_shard() % shards_.size()];
    const std::lock_guard lock(own.mutex);
    if (const auto found = own.known.find(wanted); found != own.known.end()) return *found->second;
    bool bounded = false;
    Metric& made = create(wanted, bounded);
    if (!bounded && own.known.size() < most_) own.known.emplace(key_of(wanted), &made);
    return made;
  }

  /// For series whose subject is gone. Nobody may hold a reference to it.
  void remove(const values& gone) {
    Metric* metric = nullptr;
    for (shard& each : shards_) {
      const std::lock_guard lock(each.mutex);
      const auto found = each.known.find(gone);
      if (found == each.known.end()) continue;
      metric = found->second;
      each.known.erase(found);
    }
    if (metric == nullptr) return;
    const std::lock_guard lock(mutex_);
    family_.Remove(metric);
    --made_;
  }

 private:
  using key = std::array<std::string, Count>;
  struct hash {
    using is_transparent = void;
    template <class Parts>
    std::size_t operator()(const Parts& parts) const noexcept {
      std::size_t mixed = Count;
      for (const auto& each : parts)
        mixed = (mixed ^ std::hash<std::string_view>{}(each)) * 0x9E3779B97F4A7C15 + (mixed >> 29);
      return mixed;
    }
  };
  struct equal {
    using is_transparent = void;
    template <class Left, class Right>
    bool operator()(const Left& left, const Right& right) const noexcept {
      for (std::size_t index = 0; index < Count; ++index)
        if (std::string_view(left[index]) != std::string_view(right[index])) return false;
      return true;
    }
  };
  struct alignas(64) shard {
    std::mutex mutex;
    std::unordered_map<key, Metric*, hash, equal> known;
  };

  static key key_of(const values& parts) {
    key owned;
    for (std::size_t index = 0; index < Count; ++index) owned[index] = parts[index];
    return owned;
  }

  static prometheus::Family<Metric>& make_family(prometheus::Registry& registry, const char* name, const char* help) {
    if constexpr (std::is_same_v<Metric, prometheus::Counter>)
      return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    else if constexpr (std::is_same_v<Metric, prometheus::Gauge>)
      return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
    else
      return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }

  Metric& create(const values& wanted, bool& bounded) {
    prometheus::Labels labels;
    for (std::size_t index = 0; index < Count; ++index) labels[labels_[index]] = clean_label(wanted[index]);
    const std::lock_guard lock(mutex_);
    if (!family_.Has(labels) && made_ >= most_) {
      bounded = true;
      for (auto& [name, value] : labels) value = other_label;
    }
    if (!family_.Has(labels)) ++made_;
    if constexpr (std::is_same_v<Metric, prometheus::Histogram>)
      return family_.Add(labels, buckets_);
    else
      return family_.Add(labels);
  }

  prometheus::Family<Metric>& family_;
  names labels_;
  std::vector<double> buckets_;
  std::size_t most_, made_ = 0;
  std::mutex mutex_;  // of family_ and made_
  std::array<shard, 16> shards_;
};

}  // namespace turnout::telemetry
