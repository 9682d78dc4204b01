#pragma once
// What the router has learned, in a file beside the journal, so that a restart
// does not begin from nothing. It is no record of payments: whatever is wrong
// with it, it is dropped with a line in the log, and the router learns anew.
#include <atomic>
#include <filesystem>
#include <functional>
#include <string>

#include <boost/asio/thread_pool.hpp>

#include "payments/instant.hpp"
#include "proxy/core/shared_routing.hpp"
#include "routing/router.hpp"

namespace turnout::server {

/// var/journal.db has var/journal.db.routing.
std::filesystem::path routing_state_file(const std::string& journal);

struct restored_state {
  bool found = false;   ///< there is such a file
  std::string refused;  ///< why it is not used; empty when it is
};
/// Into a router that knows its connectors and has not chosen yet.
restored_state restore_routing(const std::filesystem::path& file, routing::router& into, payments::instant now);

/// Saves it again and again. The router is copied under its lock; writing the
/// copy down happens on a thread of its own, since a disk can take seconds.
class routing_state_saver {
 public:
  /// `failed` is told, on that thread, why it could not be saved.
  routing_state_saver(std::filesystem::path file, core::shared_routing& routing,
                      std::function<void(const std::string& why)> failed)
      : file_(std::move(file)), routing_(routing), failed_(std::move(failed)) {}
  ~routing_state_saver() { thread_.join(); }
  routing_state_saver(const routing_state_saver&) = delete;
  routing_state_saver& operator=(const routing_state_saver&) = delete;

  /// Begins to save; does nothing while the last time is not done.
  void begin(payments::instant now);
  /// Saves, and returns when it is done.
  void finish(payments::instant now);

 private:
  void save(payments::instant now);

  std::filesystem::path file_;
  core::shared_routing& routing_;
  std::function<void(const std::string&)> failed_;
  std::atomic<bool> busy_ = false;
  boost::asio::thread_pool thread_{1};
};

}  // namespace turnout::server
