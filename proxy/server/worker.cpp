// See worker.hpp.
#include "proxy/server/worker.hpp"

#include <utility>

#include <boost/asio/post.hpp>
#include <pthread.h>

namespace turnout::server {

worker::worker() : guard_(boost::asio::make_work_guard(context_)) {}

worker::~worker() { stop(); }

void worker::start(const char* name) {
  thread_ = std::thread([this, name] {
    pthread_setname_np(pthread_self(), name);
    context_.run();
  });
}

void worker::stop() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

void worker::post(std::function<void()> work) { boost::asio::post(context_, std::move(work)); }

}  // namespace turnout::server
