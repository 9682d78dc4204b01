#include "proxy/api/api_key_ring.hpp"

#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>

#include <openssl/crypto.h>
#include <sys/stat.h>

namespace turnout::api {

api_key_ring::api_key_ring(std::filesystem::path file, std::function<void(const std::string&)> report)
    : file_(std::move(file)),
      report_(std::move(report)),
      keys_(std::make_shared<const snapshot>()),
      looked_at_(std::numeric_limits<payments::steady_time::rep>::min()) {
  refresh();
}

void api_key_ring::refresh() {
  const std::lock_guard lock(refreshing_);
  struct stat status{};
  if (::stat(file_.c_str(), &status) != 0) {
    // Before the first key there is no file; later its absence is a fault.
    if (seen_ && !missing_reported_) report_("the API keys in " + file_.string() + " are gone; the last ones stay in use");
    missing_reported_ = seen_.has_value();
    return;
  }
  const file_version version{status.st_ino, static_cast<std::uint64_t>(status.st_size), status.st_mtim.tv_sec,
                             status.st_mtim.tv_nsec};
  if (seen_ == version && !missing_reported_) return;
  seen_ = version;
  missing_reported_ = false;
  try {
    std::ifstream in(file_, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) throw std::runtime_error("the file cannot be opened");
    auto fresh = std::make_shared<snapshot>();
    for (api_key& each : parse_api_keys(text.str()))
      if (!each.revoked()) fresh->emplace(each.id, each);
    keys_.store(std::move(fresh));
  } catch (const std::exception& error) {
    report_("the API keys in " + file_.string() + " cannot be read: " + error.what() + "; the last good ones stay in use");
  }
}

std::optional<principal> api_key_ring::look_up(std::string_view id, std::string_view secret) const {
  static constexpr secret_hash nobody{};
  const std::shared_ptr<const snapshot> keys = keys_.load();
  const auto found = keys->find(id);
  const secret_hash given = hash_secret(secret);
  const secret_hash& expected = found == keys->end() ? nobody : found->second.hash;
  const bool equal = CRYPTO_memcmp(given.data(), expected.data(), given.size()) == 0;
  if (!equal || found == keys->end()) return std::nullopt;
  return principal{found->second.merchant, found->second.livemode, found->second.id};
}

bool api_key_ring::knows(std::string_view id) const {
  const std::shared_ptr<const snapshot> keys = keys_.load();
  return keys->find(id) != keys->end();
}

std::optional<principal> api_key_ring::authenticate(std::string_view id, std::string_view secret,
                                                    payments::steady_time now) {
  std::optional<principal> who = look_up(id, secret);
  if (who || knows(id)) return who;
  const auto present = now.time_since_epoch().count();
  auto before = looked_at_.load();
  const auto pause = std::chrono::duration_cast<payments::steady_time::duration>(look_again_after).count();
  const bool due = before == std::numeric_limits<payments::steady_time::rep>::min() || present - before >= pause;
  // One worker looks; the others go on with what there is.
  if (!due || !looked_at_.compare_exchange_strong(before, present)) return std::nullopt;
  refresh();
  return look_up(id, secret);
}

std::size_t api_key_ring::size() const noexcept { return keys_.load()->size(); }

}  // namespace turnout::api
