// See worker.hpp.
#include "proxy/server/worker.hpp"

#include <utility>

#include <pthread.h>
#include <boost/asio/post.hpp>

#include "proxy/server/decision_text.hpp"

namespace turnout::server {

worker::worker(journal::sqlite_journal& journal, core::shared_routing& routing, core::observer& watcher,
               const std::shared_ptr<const core::configuration>& config, core::ownership own)
    : guard_(boost::asio::make_work_guard(context_)),
      journal_(journal.journal_for([this](std::function<void()> work) { post(std::move(work)); })),
      view_(journal.make_reader()) {
  transport_.configure(config);
  engine_ = std::make_unique<core::engine>(core::engine::ports{*journal_, transport_, clock_, random_}, routing,
                                           watcher, config, decision_text, own);
}

worker::~worker() { stop(); }

void worker::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "worker");
    // Nothing is caught: after an exception nobody knows the state of the
    // payments at hand. std::terminate writes its text to standard error (texts
    // of exceptions never hold card data), and the next start asks the gateways
    // about everything that the journal has as unfinished.
    context_.run();
  });
}

void worker::stop() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
  transport_.close();
  // From here on no completion comes: the journal's handle says so.
  engine_.reset();
  journal_.reset();
}

void worker::post(std::function<void()> work) { boost::asio::post(context_, std::move(work)); }

void worker::configure(const std::shared_ptr<const core::configuration>& config) {
  transport_.configure(config);
  engine_->configure(config);
}

}  // namespace turnout::server
