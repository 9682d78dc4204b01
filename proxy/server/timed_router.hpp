#pragma once
// Measures how long the router's choices take: the router itself reads no clock.
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/telemetry/metrics.hpp"
#include "routing/router.hpp"

namespace turnout::server {

class timed_router final : public routing::router {
 public:
  timed_router(std::unique_ptr<routing::router> inner, telemetry::metrics& counts)
      : inner_(std::move(inner)), counts_(counts) {}

  routing::decision choose(const routing::request& payment, const policies::route& route,
                           const std::vector<routing::candidate>& candidates, const std::vector<routing::tried>& tried,
                           payments::instant now, payments::random_source& random) override {
    const auto begun = std::chrono::steady_clock::now();
    routing::decision made = inner_->choose(payment, route, candidates, tried, now, random);
    counts_.routing_decision(std::chrono::steady_clock::now() - begun);
    return made;
  }
  void on_sent(const routing::request& payment, const routing::decision& made, payments::instant now) override {
    inner_->on_sent(payment, made, now);
  }
  void observe(const routing::request& payment, const routing::decision& made, const payments::send_result& result,
               payments::instant now) override {
    inner_->observe(payment, made, result, now);
  }
  void tick(payments::instant now) override { inner_->tick(now); }
  void declare(std::string_view connector) override { inner_->declare(connector); }
  void retire(std::string_view connector) override { inner_->retire(connector); }
  std::unique_ptr<routing::router> copy() const override { return inner_->copy(); }
  std::string snapshot(payments::instant now) const override { return inner_->snapshot(now); }
  std::string restore(std::string_view bytes, payments::instant now) override { return inner_->restore(bytes, now); }
  std::vector<routing::connector_view> view(payments::instant now) const override { return inner_->view(now); }

 private:
  std::unique_ptr<routing::router> inner_;
  telemetry::metrics& counts_;
};

}  // namespace turnout::server
