#include "proxy/api/api_key_ring.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include <openssl/crypto.h>
#include <sys/stat.h>

namespace turnout::api {

api_key_ring::api_key_ring(std::filesystem::path file, std::function<void(const std::string&)> report)
    : file_(std::move(file)), report_(std::move(report)), keys_(std::make_shared<const snapshot>()) {}

std::optional<api_key_ring::file_version> api_key_ring::version() const noexcept {
  struct stat status {};
  if (::stat(file_.c_str(), &status) != 0) return std::nullopt;
  return file_version{status.st_ino, static_cast<std::uint64_t>(status.st_size), status.st_mode, status.st_mtim.tv_sec,
                      status.st_mtim.tv_nsec};
}

void api_key_ring::read(const file_version& version) {
  seen_ = version;
  missing_reported_ = false;
  if ((version.mode & (S_IRWXG | S_IRWXO)) != 0)
    throw std::runtime_error("others than its owner may use it; chmod 600 it");
  std::ifstream in(file_, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw std::runtime_error("the file cannot be opened");
  auto fresh = std::make_shared<snapshot>();
  for (api_key& each : parse_api_keys(text.str()))
    if (!each.revoked()) {
      std::shared_ptr<key_state>& state = states_[each.id];
      if (!state) state = std::make_shared<key_state>();
      std::string id = each.id;
      fresh->emplace(std::move(id), entry{std::move(each), state});
    }
  keys_.store(std::move(fresh));
}

void api_key_ring::load() {
  const std::lock_guard lock(refreshing_);
  const std::optional<file_version> found = version();
  if (!found) return;
  try {
    read(*found);
  } catch (const std::exception& error) {
    throw std::runtime_error("the API keys in " + file_.string() + " cannot be used: " + error.what());
  }
}

void api_key_ring::refresh_if_changed(const std::function<bool()>& may_read) {
  const std::optional<file_version> found = version();
  if (!found) {
    // Before the first key there is no file; later its absence is a fault.
    if (seen_ && !missing_reported_)
      report_("the API keys in " + file_.string() + " are gone; the last ones stay in use");
    missing_reported_ = seen_.has_value();
    return;
  }
  if ((seen_ == found && !missing_reported_) || !may_read()) return;
  try {
    read(*found);
  } catch (const std::exception& error) {
    report_("the API keys in " + file_.string() + " cannot be used: " + error.what() +
            "; the last good ones stay in use");
  }
}

void api_key_ring::refresh() {
  const std::lock_guard lock(refreshing_);
  refresh_if_changed([] { return true; });
}

bool api_key_ring::take_read(payments::steady_time now) noexcept {
  if (reads_ == 0 || now - reads_since_ >= std::chrono::seconds(1)) {
    reads_since_ = now;
    reads_ = 0;
  }
  if (reads_ >= most_reads) return false;
  ++reads_;
  return true;
}

std::optional<principal> api_key_ring::look_up(std::string_view id, std::string_view secret,
                                               payments::wall_time now) const {
  static constexpr secret_hash nobody{};
  const std::shared_ptr<const snapshot> keys = keys_.load();
  const auto found = keys->find(id);
  const secret_hash given = hash_secret(secret);
  const secret_hash& expected = found == keys->end() ? nobody : found->second.key.hash;
  const bool equal = CRYPTO_memcmp(given.data(), expected.data(), given.size()) == 0;
  if (!equal || found == keys->end() || found->second.key.expired(now)) return std::nullopt;
  const auto& [key, state] = found->second;
  // Workers share the line: it is written once a minute, not once a request.
  const std::int64_t minute = std::chrono::floor<std::chrono::minutes>(now).time_since_epoch().count();
  if (state->used_minute.load(std::memory_order_relaxed) != minute)
    state->used_minute.store(minute, std::memory_order_relaxed);
  return principal{key.merchant, key.livemode, key.id, key.scopes, state};
}

std::optional<principal> api_key_ring::authenticate(std::string_view id, std::string_view secret,
                                                    payments::instant now) {
  if (std::optional<principal> who = look_up(id, secret, now.wall)) return who;
  {
    // A look costs a microsecond, so nobody needs to be spared it.
    const std::lock_guard lock(refreshing_);
    refresh_if_changed([&] { return take_read(now.steady); });
  }
  return look_up(id, secret, now.wall);
}

key_uses api_key_ring::uses() const {
  key_uses found;
  const std::lock_guard lock(refreshing_);
  for (const auto& [id, state] : states_)
    if (const std::int64_t minute = state->used_minute.load(std::memory_order_relaxed); minute != 0)
      found.emplace(id, payments::wall_time(std::chrono::minutes(minute)));
  return found;
}

std::size_t api_key_ring::size() const noexcept { return keys_.load()->size(); }

}  // namespace turnout::api
