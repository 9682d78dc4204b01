#include "proxy/server/routing_state.hpp"

#include <stdexcept>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>

#include "payments/assertion.hpp"
#include "proxy/api/private_file.hpp"

namespace turnout::server {
namespace {

/// Far more than a thousand connectors need; a file that is larger is something else.
constexpr std::uintmax_t most_bytes = 512U << 20U;

}  // namespace

std::filesystem::path routing_state_file(const std::string& journal) { return journal + ".routing"; }

restored_state restore_routing(const std::filesystem::path& file, routing::router& into, payments::instant now) {
  std::error_code missing;
  const std::uintmax_t size = std::filesystem::file_size(file, missing);
  if (missing == std::errc::no_such_file_or_directory) return {};
  if (missing) return {true, "it cannot be read: " + missing.message()};
  if (size > most_bytes) return {true, "it is larger than 512 MiB"};
  try {
    const auto bytes = api::read_private_file(file);
    if (!bytes) return {};
    return {true, into.restore(*bytes, now)};
  } catch (const std::runtime_error& unreadable) {
    return {true, unreadable.what()};
  }
}

void routing_state_saver::begin(payments::instant now) {
  if (busy_.exchange(true)) return;
  boost::asio::post(thread_, [this, now] {
    save(now);
    busy_ = false;
  });
}

void routing_state_saver::finish(payments::instant now) {
  thread_.join();
  save(now);
}

void routing_state_saver::save(payments::instant now) {
  try {
    const auto copy = routing_.with([](routing::router& router, policies::retry_budget&) { return router.copy(); });
    TURNOUT_ASSERT(copy != nullptr);
    api::replace_private_file(file_, copy->snapshot(now));
  } catch (const std::exception& failed) {
    // On a full disk it would stand in the journal's way.
    std::error_code ignored;
    std::filesystem::remove(file_.string() + ".new", ignored);
    failed_(failed.what());
  }
}

}  // namespace turnout::server
